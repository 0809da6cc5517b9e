// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors, memory and clocks.

#include "CLinux.h"

#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

// Memory that nobody executes: a host may refuse any other (sysctl vm.memfd_noexec = 2), and kernels before 6.3 do not
// know the word for it.
static int memory_file(const char *name, unsigned flags) {
    int fd = memfd_create(name, flags | MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, flags | MFD_CLOEXEC);
    return fd;
}

int cl_memfd_sealed(const char *name, size_t size, const char **call) {
    *call = "memfd_create";
    int fd = memory_file(name, MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    *call = "ftruncate";
    int error = ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
    if (error == 0) {
        *call = "fcntl(F_ADD_SEALS)";
        error = fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ? -errno : 0;
    }
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int cl_memfd_check(int fd, size_t size) {
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0)
        (void)cl_refused("fcntl");
    if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW))
        return -EINVAL;
    if (fstat(fd, &status) < 0 || (size_t)status.st_size != size)
        return -EINVAL;
    return 0;
}

void *cl_map_again(void *from, size_t size, void *place) {
    // An old size of 0 leaves the mapping that is there as it is. mremap(2)
    int flags = place == NULL ? MREMAP_MAYMOVE : MREMAP_MAYMOVE | MREMAP_FIXED;
    void *address = mremap(from, 0, size, flags, place);
    return address == MAP_FAILED ? NULL : address;
}

int cl_memfd_holding(const char *name, const void *bytes, size_t count) {
    int fd = memory_file(name, 0);
    if (fd < 0)
        return -errno;
    int error = cl_write_all(fd, bytes, count);
    if (error == 0 && lseek(fd, 0, SEEK_SET) < 0)
        error = -errno;
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int cl_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int cl_pipe(int fds[2]) { return pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0; }

int cl_output_pipe(int fds[2]) {
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    return 0;
}

int cl_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) {
        struct sigaction action;
        // Blocked, an ignored signal would arrive all the same: nohup(1) and shells mean that it shall not. But a daemon
        // that nothing can end in order helps nobody.
        if (signals[i] != SIGTERM && sigaction(signals[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            continue;
        sigaddset(&set, signals[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return cl_refused("sigprocmask");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int cl_signalfd_read(int fd) {
    struct signalfd_siginfo one;
    return read(fd, &one, sizeof one) == (ssize_t)sizeof one ? (int)one.ssi_signo : 0;
}

int cl_pidfd_open(int32_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int cl_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int cl_kill(int32_t pid, int signal) {
    if (kill(pid, signal) == 0)
        return 0;
    int error = -errno, handle = cl_is_refusal(errno) ? cl_pidfd_open(pid) : -1;
    if (handle < 0)
        return error;
    error = cl_pidfd_signal(handle, signal);
    close(handle);
    return error;
}

int cl_reap(int32_t pid, int *status) {
    pid_t result = waitpid(pid, status, WNOHANG);
    if (result >= 0 || !cl_is_refusal(errno))
        return result < 0 ? -errno : (int)result;
    siginfo_t found = {0};
    if (waitid(pid < 0 ? P_ALL : P_PID, pid < 0 ? 0 : (id_t)pid, &found, WEXITED | WNOHANG) < 0)
        return -errno;
    *status = found.si_code == CLD_EXITED ? found.si_status << 8 : found.si_status;
    return (int)found.si_pid;
}

ssize_t cl_read_link(const char *path, char *target, size_t capacity) {
    ssize_t result = readlink(path, target, capacity);
    return result < 0 && cl_is_refusal(errno) ? readlinkat(AT_FDCWD, path, target, capacity) : result;
}

int cl_open(const char *path, int flags, mode_t mode) {
    int fd = open(path, flags | O_CLOEXEC, mode);
    return fd < 0 ? -errno : fd;
}

int cl_duplicate(int fd) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}

int cl_open_directory(const char *path) { return cl_open(path, O_PATH | O_DIRECTORY, 0); }

int cl_open_at(int directory, const char *path, int flags, mode_t mode) {
    int fd = openat(directory, path, flags | O_CLOEXEC, mode);
    return fd < 0 ? -errno : fd;
}

int cl_watch_directory(int directory) {
    char path[64];
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0)
        return -errno;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", directory);
    if (inotify_add_watch(watch, path, IN_CREATE | IN_DELETE | IN_MOVE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
        int error = -errno;
        close(watch);
        return error;
    }
    return watch;
}

void cl_forget_changes(int watch) {
    char events[4096];
    for (int i = 0; i < 64 && read(watch, events, sizeof events) > 0; i++)
        ;
}

void cl_close(int fd) { (void)close(fd); }

static uint64_t nanoseconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
uint64_t cl_monotonic_nanoseconds(void) { return nanoseconds_of(CLOCK_MONOTONIC); }
uint64_t cl_realtime_nanoseconds(void) { return nanoseconds_of(CLOCK_REALTIME); }

int cl_random(void *bytes, size_t count) {
    if (syscall(SYS_getrandom, bytes, count, 0) == (long)count)
        return 0;
    // The same numbers by another door, where a filter refuses the call.
    int error = -errno, fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error;
    if (read(fd, bytes, count) == (ssize_t)count)
        error = 0;
    close(fd);
    return error;
}

uint64_t cl_memory_bytes(void) {
    // Not sysconf(_SC_PHYS_PAGES): if the kernel refuses sysinfo, glibc returns what happens to stand on the stack.
    struct sysinfo info;
    if (sysinfo(&info) < 0)
        return (uint64_t)4 << 30;
    return (uint64_t)info.totalram * info.mem_unit;
}

const char *cl_environment(const char *name) { return secure_getenv(name); }

void cl_sleep_nanoseconds(uint64_t nanoseconds) {
    struct timespec left = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    while (nanosleep(&left, &left) < 0)
        if (errno != EINTR) {
            // Refused; whoever sleeps because something else does not work shall not run instead.
            (void)ppoll(NULL, 0, &left, NULL);
            return;
        }
}

void cl_syslog(int priority, const char *text) { syslog(priority, "%s", text); }

int cl_write_all(int fd, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(fd, next, count);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        next += written;
        count -= (size_t)written;
    }
    return 0;
}
