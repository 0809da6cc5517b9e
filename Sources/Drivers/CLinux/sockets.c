// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Unix sockets that keep message boundaries and carry descriptors.

#include "CLinux.h"

// By another door, where a filter refuses the usual one.
ssize_t cl_send(int fd, const void *bytes, size_t count, int flags) {
    ssize_t result = send(fd, bytes, count, flags);
    if (result >= 0 || !cl_is_refusal(errno))
        return result;
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return sendmsg(fd, &message, flags);
}

ssize_t cl_receive(int fd, void *bytes, size_t count, int flags) {
    ssize_t result = recv(fd, bytes, count, flags);
    if (result >= 0 || !cl_is_refusal(errno))
        return result;
    struct iovec part = {bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return recvmsg(fd, &message, flags);
}

ssize_t cl_send_message(int fd, const void *bytes, size_t count, const int *fds, int fd_count, int flags) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd_count > 4)
        return -EINVAL;
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, (size_t)fd_count * sizeof(int));
    }
    ssize_t result;
    do
        result = sendmsg(fd, &message, flags | MSG_NOSIGNAL);
    while (result < 0 && errno == EINTR);
    return result < 0 ? cl_refused("sendmsg") : result;
}

int cl_socketpair_seqpacket(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0 ? 0 : cl_refused("socketpair");
}

static int fill_address(struct sockaddr_un *address, const char *path) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    strcpy(address->sun_path, path);
    return 0;
}

static int seqpacket(void) {
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? cl_refused("socket") : fd;
}

static int connect_to(const struct sockaddr_un *address, socklen_t length) {
    int fd = seqpacket();
    if (fd < 0)
        return fd;
    // Non-blocking only for connect(): a full backlog is an answer too, and not one to wait for.
    if (connect(fd, (const struct sockaddr *)address, length) < 0) {
        int error = cl_refused("connect");
        close(fd);
        return error;
    }
    (void)fcntl(fd, F_SETFL, 0);
    return fd;
}

static int listen_at(const struct sockaddr_un *address, socklen_t length, int backlog) {
    int fd = seqpacket();
    if (fd < 0)
        return fd;
    // Whoever is refused by an older kernel is dealt with when a descriptor arrives.
    (void)cl_refuse_descriptors(fd);
    bool is_bound = bind(fd, (const struct sockaddr *)address, length) == 0;
    if (!is_bound || listen(fd, backlog) < 0) {
        int error = cl_refused(is_bound ? "listen" : "bind");
        close(fd);
        return error;
    }
    return fd;
}

int cl_connect(const char *path) {
    struct sockaddr_un address;
    int error = fill_address(&address, path);
    return error ? error : connect_to(&address, sizeof address);
}

int cl_listen(const char *path, mode_t mode) {
    struct sockaddr_un address;
    int error = fill_address(&address, path);
    int fd = error ? error : listen_at(&address, sizeof address, 4096);
    if (fd < 0 || chmod(path, mode) == 0)
        return fd;
    error = -errno;
    close(fd);
    return error;
}

// A short path that leads to the directory that is open, whatever its name is or has become.
static int address_in(struct sockaddr_un *address, int directory, const char *name) {
    char path[sizeof address->sun_path];
    int length = snprintf(path, sizeof path, "/proc/self/fd/%d/%s", directory, name);
    return length < 0 || (size_t)length >= sizeof path ? -ENAMETOOLONG : fill_address(address, path);
}

int cl_connect_in(int directory, const char *name) {
    struct sockaddr_un address;
    int error = address_in(&address, directory, name);
    return error ? error : connect_to(&address, sizeof address);
}

int cl_listen_in(int directory, const char *name, mode_t mode) {
    struct sockaddr_un address;
    int error = address_in(&address, directory, name), fd;
    if (error)
        return error;
    // So that it never has another mode, also where a filter refuses to change modes. No other thread makes files.
    mode_t before = umask(0777 & ~mode);
    fd = listen_at(&address, sizeof address, 4096);
    if (fd == -ENOENT && fill_address(&address, name) == 0) {
        // There is no /proc here.
        int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fchdir(directory) == 0)
            fd = listen_at(&address, sizeof address, 4096);
        if (here < 0 || fchdir(here) < 0)
            (void)!chdir("/");
        if (here >= 0)
            close(here);
    }
    (void)umask(before);
    return fd;
}

static int abstract_address(struct sockaddr_un *address, const char *name, socklen_t *length) {
    int error = fill_address(address, "");
    size_t count = strlen(name);
    if (error || count >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memcpy(address->sun_path + 1, name, count);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + count);
    return 0;
}

int cl_listen_abstract(const char *name) {
    struct sockaddr_un address;
    socklen_t length;
    int error = abstract_address(&address, name, &length);
    return error ? error : listen_at(&address, length, 1);
}

int cl_connect_abstract(const char *name) {
    struct sockaddr_un address;
    socklen_t length;
    int error = abstract_address(&address, name, &length);
    return error ? error : connect_to(&address, length);
}

int cl_accept(int fd) {
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0 && cl_is_refusal(errno)) {
        accepted = accept(fd, NULL, NULL);
        if (accepted >= 0
            && (fcntl(accepted, F_SETFD, FD_CLOEXEC) < 0 || fcntl(accepted, F_SETFL, O_NONBLOCK) < 0)) {
            int error = errno;
            close(accepted);
            errno = error;
            accepted = -1;
        }
    }
    return accepted < 0 ? -errno : accepted;
}

int cl_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return cl_refused("getsockopt");
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int cl_peer_groups(int fd, uint32_t *groups, int capacity) {
    socklen_t length = (socklen_t)((size_t)capacity * sizeof(uint32_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0)
        return -errno;
    return (int)(length / sizeof(uint32_t));
}

void cl_notify_service_manager(const char *state) {
    const char *path = secure_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    if (!path || (path[0] != '/' && path[0] != '@') || fill_address(&address, path) < 0)
        return;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, length) < 0
        && errno == EAGAIN && connect(fd, (struct sockaddr *)&address, length) == 0) {
        // It is busy: a moment, and no longer.
        struct pollfd one = {fd, POLLOUT, 0};
        (void)poll(&one, 1, 500);
        (void)send(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    close(fd);
}
