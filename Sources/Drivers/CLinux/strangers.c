// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CLinux.h"

#include <sys/syscall.h>

// Newer than some headers.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

int cl_refuse_descriptors(int fd) {
    int off = 0;
    return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off) < 0 ? -errno : 0;
}

int cl_peer_handle(int fd) {
    int handle = -1;
    socklen_t length = sizeof handle;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &handle, &length) == 0)
        return handle;
    // EINVAL: what kernels before 6.9 say of a process that nobody can wait for any more.
    if (errno == EINVAL)
        return -ESRCH;
    return errno == ENOSYS || errno == EPERM ? -ENOPROTOOPT : -errno;
}

bool cl_is_over(int pidfd) {
    return cl_is_ready(pidfd, POLLIN);
}

bool cl_process_lives(int32_t process, uint64_t *beginning) {
    char path[32], text[1024];
    long threads = 1;
    unsigned long long began = 0;
    *beginning = 0;
    if (kill(process, 0) < 0 && errno == ESRCH)
        return false;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    text[count < 0 ? 0 : count] = '\0';
    // The name of the program before it can have any character.
    const char *state = strrchr(text, ')');
    if (!state || sscanf(state, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu",
                         &threads, &began) != 2)
        return true;
    *beginning = began;
    // The first thread of several may have ended before the others.
    return threads > 1 || (state[2] != 'Z' && state[2] != 'X');
}

void cl_close_foreign(int fd) {
    struct linger off = {0, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
    close(fd);
}

void cl_end_connection(int fd) { (void)shutdown(fd, SHUT_RDWR); }

ssize_t cl_receive_from_stranger(int fd, void *bytes, size_t capacity, int fds[CL_MESSAGE_DESCRIPTORS], int *fd_count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(CL_MESSAGE_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {bytes, capacity};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    ssize_t result;
    *fd_count = 0;
    do
        result = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return -errno;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < count && *fd_count < CL_MESSAGE_DESCRIPTORS; i++)
            memcpy(&fds[(*fd_count)++], CMSG_DATA(c) + (size_t)i * sizeof(int), sizeof(int));
    }
    return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : result;
}
