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

// Ids of threads and processes are those of one PID namespace, the home of the process that began the family. A child that
// was forked into another namespace goes on using them: it finds its own in the proc file system that it inherited, and
// looks there whether others live.
static bool is_abroad;
static struct cl_guest home = {.number = -1};

// An id above all that the kernel gives: of somebody abroad who could not learn its own. Nobody judges whether it lives.
enum { unknown_id = 1 << 30 };

static void go_abroad(void) {
    is_abroad = true;
    int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && cl_guest_settle(fd, &home) < 0)
        close(fd);
}

static bool is_other_namespace(void) {
    char text[32] = {0};
    // A parent that cannot be seen from here.
    if (getppid() == 0)
        return true;
    return cl_read_link("/proc/self", text, sizeof text - 1) > 0 && atoi(text) != getpid();
}

void cl_locks_after_fork(int32_t parent) {
    cl_own_thread = 0;
    // Usual, and cheap to see: the parent is where it was.
    if (!is_abroad && getppid() != parent && is_other_namespace())
        go_abroad();
}

static uint32_t id_at_home(const char *link, char before) {
    char text[64] = {0};
    if (cl_guest_is_there(&home) && readlinkat(home.number, link, text, sizeof text - 1) > 0) {
        const char *digits = before ? strrchr(text, before) : NULL;
        int id = atoi(digits ? digits + 1 : text);
        if (id > 0)
            return (uint32_t)id;
    }
    return 0;
}

static uint32_t own_thread(void) {
    uint32_t here = (uint32_t)gettid();
    uint32_t id = is_abroad ? id_at_home("thread-self", '/') : here;
    return id ? id : unknown_id | here;
}

int32_t cl_own_process(void) {
    int32_t here = getpid();
    int32_t id = is_abroad ? (int32_t)id_at_home("self", 0) : here;
    return id ? id : unknown_id | here;
}

static bool take(uint32_t *lock, uint32_t expected) {
    return __atomic_compare_exchange_n(lock, &expected, cl_own_thread, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

// What the kernel says of a thread that kill() still finds: one that nobody has waited for is dead all the same.
static bool is_zombie(int proc, uint32_t thread) {
    char path[32], text[256];
    snprintf(path, sizeof path, "%u/stat", thread);
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    text[count < 0 ? 0 : count] = '\0';
    const char *state = strrchr(text, ')');
    return state && (state[2] == 'Z' || state[2] == 'X');
}

static bool is_zombie_here(uint32_t thread) {
    int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return false;
    bool result = is_zombie(proc, thread);
    close(proc);
    return result;
}

// From abroad, where kill() means other processes. A proc file system that hides the processes of other users says
// nothing; it shows process 1 if it shows all.
static bool is_dead_at_home(uint32_t thread) {
    char name[16];
    struct stat status;
    if (!cl_guest_is_there(&home) || fstatat(home.number, "1", &status, 0) < 0)
        return false;
    snprintf(name, sizeof name, "%u", thread);
    if (fstatat(home.number, name, &status, 0) < 0)
        return errno == ENOENT;
    return is_zombie(home.number, thread);
}

// A child of ours that we have not waited for: needs no descriptor. The kernel also tells of one that we trace and that has
// only stopped.
static bool is_dead_child(pid_t process) {
    siginfo_t found = {0};
    return waitid(P_PID, (id_t)process, &found, WEXITED | WNOHANG | WNOWAIT) == 0 && found.si_pid == process
           && (found.si_code == CLD_EXITED || found.si_code == CLD_KILLED || found.si_code == CLD_DUMPED);
}

static bool is_dead(uint32_t thread) {
    if (thread & unknown_id)
        return false;
    if (is_abroad)
        return is_dead_at_home(thread);
    return (kill((pid_t)thread, 0) < 0 && errno == ESRCH) || is_dead_child((pid_t)thread) || is_zombie_here(thread);
}

// Of a process with several threads the first, which has its id, may have ended before the others.
static bool has_ended(pid_t process) {
    if (process & unknown_id)
        return false;
    if (is_abroad)
        return is_dead_at_home((uint32_t)process);
    if ((kill(process, 0) < 0 && errno == ESRCH) || is_dead_child(process))
        return true;
    int handle = cl_pidfd_open(process);
    if (handle < 0)
        return handle == -ESRCH;
    bool result = cl_is_ready(handle, POLLIN);
    cl_close(handle);
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
        cl_own_thread = own_thread();
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
