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

int cl_peer_handle(int fd, int32_t process, bool *is_exact) {
    int handle = -1;
    socklen_t length = sizeof handle;
    *is_exact = true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &handle, &length) == 0)
        return handle;
    // EINVAL: what kernels before 6.9 say of a process that nobody can wait for any more.
    if (errno == EINVAL)
        return -ESRCH;
    if (errno != ENOPROTOOPT && errno != ENOSYS && errno != EPERM)
        return -errno;
    *is_exact = false;
    return cl_pidfd_open(process);
}

bool cl_is_over(int pidfd) {
    return cl_is_ready(pidfd, POLLIN);
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
