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

// Waits with a deadline so that SA_RESTART is honoured: futex_waitv() is restarted by the kernel, FUTEX_WAIT_BITSET with a
// time limit is not. Kernels before 5.16 have only the latter.
static long wait_until(uint32_t *word, uint32_t expected, const struct timespec *deadline) {
    struct futex_waitv one = {.val = expected, .uaddr = (uintptr_t)word, .flags = FUTEX_32};
    long result = syscall(SYS_futex_waitv, &one, 1, 0, deadline, CLOCK_MONOTONIC);
    if (result < 0 && errno == ENOSYS)
        return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, deadline, NULL, FUTEX_BITSET_MATCH_ANY);
    return result;
}

// futex() is not a cancellation point of glibc. Asynchronous cancellation is on for the system call only; there is
// nothing in between that a cancellation could leave half done.
int cl_futex_sleep(uint32_t *word, uint32_t expected, const struct timespec *deadline,
                   void (*cleanup)(void *), void *argument) {
    int old_type, ignored;
    long result;
    int error;
    pthread_cleanup_push(cleanup ? cleanup : nothing, argument);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old_type);
    result = deadline ? wait_until(word, expected, deadline)
                      : syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, NULL, NULL, FUTEX_BITSET_MATCH_ANY);
    error = errno;
    pthread_setcanceltype(old_type, &ignored);
    pthread_cleanup_pop(0);
    if (result >= 0 || error == EAGAIN)
        return 0;
    return -error;
}

void cl_futex_wake_all(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }

int cl_membarrier_register(void) {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0 ? 0 : -errno;
}

int cl_membarrier(void) {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0 ? 0 : -errno;
}

ssize_t cl_receive_message(int fd, void *bytes, size_t capacity, int *fds, int *fd_count, int flags,
                           void (*cleanup)(void *), void *argument) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec part = {bytes, capacity};
    struct msghdr message = {0};
    ssize_t result;
    int error;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    pthread_cleanup_push(cleanup ? cleanup : nothing, argument);
    result = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    error = errno;
    pthread_cleanup_pop(0);
    *fd_count = 0;
    if (result < 0)
        return -error;
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
        *fd_count = 0;
        return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : -EMFILE;
    }
    return result;
}

int cl_poll_one(int fd, short events, int timeout_ms, void (*cleanup)(void *), void *argument) {
    struct pollfd one = {fd, events, 0};
    int result, error;
    pthread_cleanup_push(cleanup ? cleanup : nothing, argument);
    result = poll(&one, 1, timeout_ms);
    error = errno;
    pthread_cleanup_pop(0);
    if (result < 0 && error == EINTR && !is_interruption())
        return -ERESTART;
    return result < 0 ? -error : result;
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
    result = epoll_wait(epfd, events, capacity, timeout);
    error = errno;
    pthread_cleanup_pop(0);
    if (result < 0 && error == EINTR && !is_interruption())
        return 0;
    return result < 0 ? -error : result;
}

// recv() goes on by itself after a handler that was installed with SA_RESTART, which poll() does not.
int cl_await_message(int fd, void (*cleanup)(void *), void *argument) {
    char byte;
    ssize_t result;
    int error;
    pthread_cleanup_push(cleanup ? cleanup : nothing, argument);
    result = recv(fd, &byte, 1, MSG_PEEK);
    error = errno;
    pthread_cleanup_pop(0);
    return result < 0 ? -error : 0;
}
