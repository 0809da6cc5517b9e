// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors, memory, clocks and children.

#include "CLinux.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

int cl_memfd_sealed(const char *name, size_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

int cl_memfd_check(int fd, size_t size) {
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW))
        return -EINVAL;
    if (fstat(fd, &status) < 0 || (size_t)status.st_size != size)
        return -EINVAL;
    return 0;
}

int cl_memfd_holding(const char *name, const void *bytes, size_t count) {
    int fd = memfd_create(name, MFD_CLOEXEC);
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

int cl_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
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

int cl_reap(int32_t pid, int *status) {
    pid_t result = waitpid(pid, status, WNOHANG);
    return result < 0 ? -errno : result > 0;
}

void cl_ignore_broken_pipes(void) { (void)signal(SIGPIPE, SIG_IGN); }

int cl_open(const char *path, int flags, mode_t mode) {
    int fd = open(path, flags | O_CLOEXEC, mode);
    return fd < 0 ? -errno : fd;
}

static struct rlimit original_descriptors;
static bool descriptors_raised;

void cl_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    original_descriptors = limit;
    limit.rlim_cur = limit.rlim_max;
    descriptors_raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

void cl_detach_standard_input(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd > 0) {
        (void)dup2(fd, 0);
        close(fd);
    } else if (fd == 0) {
        (void)fcntl(0, F_SETFD, 0);
    }
}

void cl_close(int fd) { (void)close(fd); }

static uint64_t nanoseconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
uint64_t cl_monotonic_nanoseconds(void) { return nanoseconds_of(CLOCK_MONOTONIC); }
uint64_t cl_realtime_nanoseconds(void) { return nanoseconds_of(CLOCK_REALTIME); }

int cl_random(void *bytes, size_t count) { return getrandom(bytes, count, 0) == (ssize_t)count ? 0 : -EIO; }

uint64_t cl_memory_bytes(void) { return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE); }

const char *cl_environment(const char *name) { return secure_getenv(name); }

void cl_sleep_nanoseconds(uint64_t nanoseconds) {
    struct timespec left = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
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

// In the child only calls that are safe after fork() in a program with threads.
static void become(const struct cl_child *child, int report, pid_t parent) {
    sigset_t none;
    for (int signal = 1; signal < NSIG; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            (void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (child->own_group && setpgid(0, 0) < 0)
        goto failed;
    if (child->change_identity
        && (syscall(SYS_setgroups, (size_t)child->group_count, child->groups) < 0
            || syscall(SYS_setresgid, child->gid, child->gid, child->gid) < 0
            || syscall(SYS_setresuid, child->uid, child->uid, child->uid) < 0))
        goto failed;
    // After the change of identity, which clears it.
    if (child->death_signal) {
        if (prctl(PR_SET_PDEATHSIG, child->death_signal) < 0)
            goto failed;
        if (getppid() != parent)
            _exit(127);
    }
    if (child->directory && chdir(child->directory) < 0 && chdir("/") < 0)
        goto failed;
    // The report keeps a number above everything that the child shall have.
    int kept = fcntl(report, F_DUPFD_CLOEXEC, 10);
    if (kept < 0)
        goto failed;
    report = kept;
    if (child->input > 0 && dup2(child->input, 0) < 0)
        goto failed;
    if (child->channel >= 0) {
        if (child->channel == 3)
            (void)fcntl(3, F_SETFD, 0);
        else if (dup2(child->channel, 3) < 0)
            goto failed;
    }
    int first = child->channel >= 0 ? 4 : 3;
    if (report > first)
        (void)syscall(SYS_close_range, first, report - 1, 0);
    (void)syscall(SYS_close_range, report + 1, ~0U, 0);
    // Programs that use select() cannot have more.
    if (descriptors_raised)
        (void)setrlimit(RLIMIT_NOFILE, &original_descriptors);
    execve(child->path, child->argv, child->envp);
failed:;
    int error = errno;
    (void)!write(report, &error, sizeof error);
    _exit(127);
}

int32_t cl_spawn(const struct cl_child *child) {
    int report[2], error = 0;
    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        error = -errno;
        close(report[0]);
        close(report[1]);
        return error;
    }
    if (pid == 0)
        become(child, report[1], parent);
    close(report[1]);
    ssize_t got;
    do
        got = read(report[0], &error, sizeof error);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof error) {
        (void)waitpid(pid, NULL, 0);
        return -error;
    }
    return pid;
}
