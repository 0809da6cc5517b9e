// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The places where a thread of a program sleeps. All are cancellation points, and none is entered with a lock held.

#include "CLinux.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

static void nothing(void *argument) { (void)argument; }

// The kernel does not restart poll() and epoll_wait(), whatever SA_RESTART says, nor does it say which handler ran.
// So if all handlers of the process were installed with SA_RESTART, an interruption is none; if one was not, it may
// have been that one.
static bool is_interruption(void) {
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN
            && !(action.sa_flags & SA_RESTART))
            return true;
    }
    return false;
}

static bool is_usual(int error) { return error == EAGAIN || error == ETIMEDOUT || error == EINTR; }

// Whoever was to wait, and could not, comes back at once: that shall cost no processor.
static void rest_of_refused(void) { cl_sleep_nanoseconds(10000000); }

// Where there is no futex_waitv() (kernels before 5.16, sandboxes): for the word alone, and no longer than a second,
// because the alarm is not heard. The kernel does not restart this one after a handler with SA_RESTART.
static long wait_a_while(uint32_t *word, uint32_t expected, const struct timespec *deadline) {
    struct timespec limit;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += 1;
    bool is_last = deadline && (deadline->tv_sec < limit.tv_sec
                                || (deadline->tv_sec == limit.tv_sec && deadline->tv_nsec < limit.tv_nsec));
    long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, is_last ? deadline : &limit, NULL,
                          FUTEX_BITSET_MATCH_ANY);
    if (result >= 0 || (errno == ETIMEDOUT && is_last))
        return result;
    if (errno == EINTR && is_interruption()) {
        errno = EINTR;
        return -1;
    }
    if (!is_usual(errno))
        cl_sleep_nanoseconds(1000000);
    return 0;
}

// futex_waitv() is restarted by the kernel as SA_RESTART says, also with a time limit.
static long wait_for_either(uint32_t *word, uint32_t expected, uint32_t *alarm, uint32_t quiet,
                            const struct timespec *deadline) {
    struct futex_waitv both[2] = {
        {.val = expected, .uaddr = (uintptr_t)word, .flags = FUTEX_32},
        {.val = quiet, .uaddr = (uintptr_t)alarm, .flags = FUTEX_32},
    };
    long result = syscall(SYS_futex_waitv, both, 2, 0, deadline, CLOCK_MONOTONIC);
    return result >= 0 || is_usual(errno) ? result : wait_a_while(word, expected, deadline);
}

// futex() is not a cancellation point of glibc. Asynchronous cancellation is on for the system calls only; there is
// nothing in between that a cancellation could leave half done.
int cl_futex_sleep(uint32_t *word, uint32_t expected, uint32_t *alarm, uint32_t quiet, const struct timespec *deadline,
                   void (*cleanup)(void *), void *argument) {
    int old_type, ignored;
    long result;
    int error;
    pthread_cleanup_push(cleanup ? cleanup : nothing, argument);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old_type);
    result = wait_for_either(word, expected, alarm, quiet, deadline);
    error = errno;
    pthread_setcanceltype(old_type, &ignored);
    pthread_cleanup_pop(0);
    if (result >= 0 || error == EAGAIN)
        return 0;
    return -error;
}

void cl_futex_wake_all(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }

int cl_membarrier_register(void) {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0 ? cl_membarrier() : -errno;
}

int cl_membarrier(void) {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0 ? 0 : -errno;
}

ssize_t cl_next_message(int fd) {
    // Unix sockets say the whole length of a message that does not fit.
    ssize_t result = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    return result < 0 ? -errno : result;
}

ssize_t cl_receive_message(int fd, void *bytes, size_t capacity, int *fds, int *fd_count, int flags) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec part = {bytes, capacity};
    struct msghdr message = {0};
    ssize_t result;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    result = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    *fd_count = 0;
    if (result < 0)
        return cl_refused("recvmsg");
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < count; i++) {
            int received;
            memcpy(&received, CMSG_DATA(c) + (size_t)i * sizeof(int), sizeof received);
            if (*fd_count < 4)
                fds[(*fd_count)++] = received;
            else
                close(received);
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (int i = 0; i < *fd_count; i++)
            close(fds[i]);
        *fd_count = -1;
        if (message.msg_flags & MSG_TRUNC)
            return -EMSGSIZE;
    }
    return result;
}

static int poll_one(struct pollfd *one, int timeout_ms) {
    int result = poll(one, 1, timeout_ms);
    if (result >= 0 || !cl_is_refusal(errno))
        return result;
    struct timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    result = ppoll(one, 1, timeout_ms < 0 ? NULL : &limit, NULL);
    int error = errno;
    if (result < 0 && cl_is_refusal(error) && timeout_ms != 0)
        rest_of_refused();
    errno = error;
    return result;
}

bool cl_is_ready(int fd, short events) {
    struct pollfd one = {fd, events, 0};
    return poll_one(&one, 0) > 0;
}

int cl_poll_one(int fd, short events, int timeout_ms, void (*cleanup)(void *), void *argument) {
    struct pollfd one = {fd, events, 0};
    int result, error;
    pthread_cleanup_push(cleanup ? cleanup : nothing, argument);
    result = poll_one(&one, timeout_ms);
    error = errno;
    pthread_cleanup_pop(0);
    if (result < 0 && error == EINTR && !is_interruption())
        return -ERESTART;
    return result < 0 ? -error : result;
}

static int poll_many(int epfd, struct epoll_event *events, int capacity, int timeout_ms) {
    int result = epoll_wait(epfd, events, capacity, timeout_ms);
    if (result >= 0 || !cl_is_refusal(errno))
        return result;
    result = epoll_pwait(epfd, events, capacity, timeout_ms, NULL);
    int error = errno;
    if (result < 0 && cl_is_refusal(error) && timeout_ms != 0)
        rest_of_refused();
    errno = error;
    return result;
}

// epoll_pwait2() is newer than some kernels we meet; milliseconds rounded up are never early.
int cl_epoll_wait(int epfd, struct epoll_event *events, int capacity, const struct timespec *deadline,
                  void (*cleanup)(void *), void *argument) {
    int timeout = -1, result, error;
    if (deadline) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t left = (int64_t)(deadline->tv_sec - now.tv_sec) * 1000000000 + (deadline->tv_nsec - now.tv_nsec);
        int64_t rounded = left <= 0 ? 0 : (left + 999999) / 1000000;
        timeout = rounded > INT_MAX ? INT_MAX : (int)rounded;
    }
    pthread_cleanup_push(cleanup ? cleanup : nothing, argument);
    result = poll_many(epfd, events, capacity, timeout);
    error = errno;
    pthread_cleanup_pop(0);
    if (result < 0 && error == EINTR && !is_interruption())
        return 0;
    return result < 0 ? -error : result;
}

int cl_epoll_look(int epfd, struct epoll_event *events, int capacity) {
    int result = poll_many(epfd, events, capacity, 0);
    return result < 0 ? -errno : result;
}

// recv() goes on by itself after a handler that was installed with SA_RESTART, which poll() does not.
int cl_await_message(int fd, void (*cleanup)(void *), void *argument) {
    char byte;
    ssize_t result;
    int error;
    pthread_cleanup_push(cleanup ? cleanup : nothing, argument);
    result = cl_receive(fd, &byte, 1, MSG_PEEK);
    error = errno;
    pthread_cleanup_pop(0);
    return result < 0 ? -error : 0;
}
