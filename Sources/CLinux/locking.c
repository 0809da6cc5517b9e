// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

__thread uint32_t cl_own_thread;

void cl_locks_after_fork(void) { cl_own_thread = 0; }

static bool take(uint32_t *lock, uint32_t expected) {
    return __atomic_compare_exchange_n(lock, &expected, cl_own_thread, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

// What the kernel says of a thread that kill() still finds: one that nobody has waited for is dead all the same.
static bool is_zombie(uint32_t thread) {
    char path[32], text[256];
    snprintf(path, sizeof path, "/proc/%u/stat", thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t count = read(fd, text, sizeof text - 1);
    cl_close(fd);
    text[count < 0 ? 0 : count] = '\0';
    const char *state = strrchr(text, ')');
    return state && (state[2] == 'Z' || state[2] == 'X');
}

// A child of ours that we have not waited for: needs no descriptor.
static bool is_dead_child(pid_t process) {
    siginfo_t found = {0};
    return waitid(P_PID, (id_t)process, &found, WEXITED | WNOHANG | WNOWAIT) == 0 && found.si_pid == process;
}

static bool is_dead(uint32_t thread) {
    return (kill((pid_t)thread, 0) < 0 && errno == ESRCH) || is_dead_child((pid_t)thread) || is_zombie(thread);
}

// Of a process with several threads the first, which has its id, may have ended before the others.
static bool has_ended(pid_t process) {
    if ((kill(process, 0) < 0 && errno == ESRCH) || is_dead_child(process))
        return true;
    struct pollfd one = {cl_pidfd_open(process), POLLIN, 0};
    if (one.fd < 0)
        return one.fd == -ESRCH;
    bool result = poll(&one, 1, 0) == 1;
    cl_close(one.fd);
    return result;
}

// Nobody is woken, so that to unlock is a store: locks are held for a copy and no longer.
static void rest(uint32_t *lock, uint32_t holder) {
    struct timespec limit = {.tv_nsec = 100000};
    (void)syscall(SYS_futex, lock, FUTEX_WAIT, holder, &limit, NULL, 0);
}

static bool lock_slowly(uint32_t *lock) {
    for (unsigned round = 0;; round++) {
        uint32_t holder = __atomic_load_n(lock, __ATOMIC_RELAXED);
        if (holder == 0) {
            if (take(lock, 0))
                return false;
        } else if (round < 64) {
            cl_pause();
        } else if (round < 128) {
            sched_yield();
        } else if (round % 16 == 0 && is_dead(holder)) {
            if (take(lock, holder))
                return true;
        } else {
            rest(lock, holder);
        }
    }
}

bool cl_lock_slowly(uint32_t *lock) {
    int state, error = errno;
    // Among others open() and read() are cancellation points.
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (cl_own_thread == 0)
        cl_own_thread = (uint32_t)gettid();
    bool was_left = lock_slowly(lock);
    pthread_setcancelstate(state, NULL);
    errno = error;
    return was_left;
}

bool cl_has_ended(int32_t process) {
    int state, error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    bool result = has_ended(process);
    pthread_setcancelstate(state, NULL);
    errno = error;
    return result;
}
