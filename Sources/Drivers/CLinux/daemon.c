// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a daemon inherits, what it makes of that, and how it writes its log.

#include "CLinux.h"

#include <sys/syscall.h>

// Limits that were raised, as they were before.
static struct {
    __rlimit_resource_t resource;
    struct rlimit before;
    bool is_raised;
} limits[] = {{RLIMIT_NOFILE, {0, 0}, false}, {RLIMIT_FSIZE, {0, 0}, false}};
enum { limit_count = sizeof limits / sizeof *limits };

void cl_open_standard_streams(void) {
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        // The lowest number that is free, which is this one. Whoever uses it for what it is not is told so: a program
        // that writes to a closed standard output shall not think that somebody reads it.
        int opened = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        if (opened < 0)
            opened = open("/", O_PATH | O_DIRECTORY);
        if (opened > fd)
            close(opened);
    }
}

static void detach_standard_input(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)dup2(fd, 0);
    close(fd);
}

void cl_close_from(int first) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    struct rlimit limit;
    int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1 << 20 ? (int)limit.rlim_cur : 1 << 20;
    for (int fd = first; fd < end; fd++)
        close(fd);
}

void cl_begin_daemon(int first_foreign) {
    cl_open_standard_streams();
    cl_close_from(first_foreign);
    detach_standard_input();
    // An error of the write that met it is enough.
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    // Writing to the terminal of another job (stty tostop) would stop us.
    (void)signal(SIGTTOU, SIG_IGN);
    // Ignored, it would keep from us how children end.
    (void)signal(SIGCHLD, SIG_DFL);
    umask(022);
    for (int i = 0; i < limit_count; i++) {
        struct rlimit limit;
        if (getrlimit(limits[i].resource, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
            continue;
        limits[i].before = limit;
        limit.rlim_cur = limit.rlim_max;
        limits[i].is_raised = setrlimit(limits[i].resource, &limit) == 0;
    }
}

void cl_restore_limits(void) {
    for (int i = 0; i < limit_count; i++)
        if (limits[i].is_raised)
            (void)setrlimit(limits[i].resource, &limits[i].before);
}

int cl_write_line(int fd, const void *bytes, size_t count, bool may_wait, size_t *written) {
    *written = 0;
    while (*written < count) {
        struct pollfd one = {fd, POLLOUT, 0};
        if (!may_wait && poll(&one, 1, 0) <= 0)
            return -EAGAIN;
        ssize_t result = write(fd, (const char *)bytes + *written, count - *written);
        if (result >= 0) {
            *written += (size_t)result;
        } else if (errno == EAGAIN && may_wait) {
            // Somebody made it non-blocking. It may say that there is room for less than we have.
            (void)poll(&one, 1, 1000);
            cl_sleep_nanoseconds(1000000);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

// The socket of the system's log; used by one thread.
static int system_log = -1;
static bool system_log_is_stream;

static int connect_system_log(void) {
    static const struct sockaddr_un address = {AF_UNIX, "/dev/log"};
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    int error = -ENOENT;
    for (int i = 0; i < 2; i++) {
        int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return -errno;
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
            system_log = fd;
            system_log_is_stream = types[i] == SOCK_STREAM;
            return 0;
        }
        error = -errno;
        close(fd);
        if (error != -EPROTOTYPE)
            break;
    }
    return error;
}

int cl_system_log(const void *bytes, size_t count, bool may_wait) {
    int error = 0;
    // A second time, because the service may have been started anew.
    for (int attempt = 0; attempt < 2; attempt++) {
        if (system_log < 0 && (error = connect_system_log()) < 0)
            return error;
        ssize_t result;
        do
            // With the zero behind it, which ends a line where the socket keeps no boundaries.
            result = send(system_log, bytes, count + system_log_is_stream, MSG_NOSIGNAL | (may_wait ? 0 : MSG_DONTWAIT));
        while (result < 0 && errno == EINTR);
        if (result >= 0)
            return 0;
        error = -errno;
        if (error == -EAGAIN)
            return error;
        close(system_log);
        system_log = -1;
    }
    return error;
}

size_t cl_system_log_head(char *head, size_t capacity, int priority, const char *name) {
    time_t now = time(NULL);
    struct tm parts;
    char moment[32] = "";
    if (localtime_r(&now, &parts))
        (void)strftime(moment, sizeof moment, "%h %e %T", &parts);
    int length = snprintf(head, capacity, "<%d>%s %s[%d]: ", priority, moment, name, (int)getpid());
    return length < 0 ? 0 : (size_t)length < capacity ? (size_t)length : capacity - 1;
}

size_t cl_time_text(char *text, size_t capacity) {
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!gmtime_r(&now.tv_sec, &parts))
        return 0;
    size_t length = strftime(text, capacity, "%Y-%m-%dT%H:%M:%S", &parts);
    int rest = snprintf(text + length, capacity - length, ".%06ldZ", now.tv_nsec / 1000);
    return rest < 0 || length + (size_t)rest >= capacity ? length : length + (size_t)rest;
}
