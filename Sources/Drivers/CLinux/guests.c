// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of a library inside a program that owns all numbers.

#include "CLinux.h"

// Our numbers begin in the middle of what the process may have, at most here: open() of the program gives the lowest
// free number, and so meets a number of ours only if the program has hundreds of files. Not higher, because the
// kernel's table grows to the highest number, and because select() ends at FD_SETSIZE.
enum { highest_floor = FD_SETSIZE / 2 };

static bool guests_stay;

void cl_let_guests_stay(void) { guests_stay = true; }

bool cl_guests_stay(void) { return guests_stay; }

static int floor_of_guests(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur / 2 > highest_floor)
        return highest_floor;
    return limit.rlim_cur / 2 > 3 ? (int)(limit.rlim_cur / 2) : 3;
}

static int move_away(int fd) {
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, floor_of_guests());
    if (moved >= FD_SETSIZE && fd > 2 && fd < FD_SETSIZE) {
        close(moved);
        moved = -1;
    }
    if (moved < 0 && fd <= 2)
        moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return moved;
}

int cl_guest_settle(int fd, struct cl_guest *guest) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return cl_refused("fstat");
    int moved = move_away(fd);
    if (moved >= 0)
        close(fd);
    guest->number = moved >= 0 ? moved : fd;
    guest->device = status.st_dev;
    guest->inode = status.st_ino;
    return 0;
}

bool cl_guest_is_there(const struct cl_guest *guest) {
    if (guests_stay)
        return guest->number >= 0;
    struct stat status;
    int error = errno;
    bool result = guest->number >= 0 && fstat(guest->number, &status) == 0 && status.st_dev == guest->device
                  && status.st_ino == guest->inode;
    errno = error;
    return result;
}

void cl_guest_close(const struct cl_guest *guest) {
    if (cl_guest_is_there(guest))
        close(guest->number);
}

ssize_t cl_guest_ring(const struct cl_guest *guest) {
    if (!cl_guest_is_there(guest))
        return -EBADF;
    ssize_t result = cl_send(guest->number, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return result < 0 ? -errno : result;
}

void cl_guest_silence(const struct cl_guest *guest, int most) {
    char bytes[8];
    if (!cl_guest_is_there(guest))
        return;
    while (most-- > 0 && cl_receive(guest->number, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

// Not syslog(3): that keeps a descriptor, which is the program's to close, and waits for a log that nobody reads.
void cl_guest_report(const char *text) {
    static const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char line[512];
    int error = errno;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        int length = snprintf(line, sizeof line, "<%d>%.64s[%d]: %s", LOG_USER | LOG_WARNING,
                              program_invocation_short_name, (int)getpid(), text);
        if (connect(fd, (const struct sockaddr *)&log, sizeof log) == 0)
            (void)send(fd, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
    }
    errno = error;
}
