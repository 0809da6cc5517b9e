// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything that has a file descriptor: Unix sockets, pipes, UDP and TCP over loopback. All of it is written with
// write(2) and read with read(2); streams carry messages of a size that both sides know.

#define _GNU_SOURCE
#include "message.h"
#include "options.h"
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

// A reason stays with the results to the end.
static const char *failure(const char *what) {
    char *text;
    return asprintf(&text, "%s: %s", what, strerror(errno)) < 0 ? what : text;
}

static void set_ends(struct end *end, int reading, int writing) {
    end->reading = reading;
    end->writing = writing;
}

// The system's buffers, unless --buffer says otherwise. A datagram must fit the send buffer, whatever that is.
static const char *set_buffers(int file, size_t datagram) {
    int size = (int)settings.buffer_bytes, given = 0;
    socklen_t length = sizeof given;
    if (size > 0) {
        setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        setsockopt(file, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    getsockopt(file, SOL_SOCKET, SO_SNDBUF, &given, &length);
    size = (int)datagram + 4096;
    if (given >= size)
        return NULL;
    setsockopt(file, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    getsockopt(file, SOL_SOCKET, SO_SNDBUF, &given, &length);
    return given >= size ? NULL : "the send buffer is too small (net.core.wmem_max)";
}

static const char *set_both_buffers(struct end *client, struct end *server, size_t datagram) {
    const char *reason = set_buffers(client->writing, datagram);
    return reason ? reason : set_buffers(server->writing, datagram);
}

static const char *unix_join(struct end *client, struct end *server, int type, size_t datagram) {
    int pair[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
        return failure("socketpair");
    set_ends(client, pair[0], pair[0]);
    set_ends(server, pair[1], pair[1]);
    return set_both_buffers(client, server, datagram);
}

const char *seqpacket_join(struct end *client, struct end *server, size_t size) {
    return unix_join(client, server, SOCK_SEQPACKET, size);
}

const char *stream_join(struct end *client, struct end *server, size_t size) {
    (void)size;
    return unix_join(client, server, SOCK_STREAM, 0);
}

const char *pipe_join(struct end *client, struct end *server, size_t size) {
    int there[2], back[2];
    (void)size;
    if (pipe2(there, O_CLOEXEC) < 0)
        return failure("pipe");
    set_ends(client, -1, there[1]);
    set_ends(server, there[0], -1);
    if (pipe2(back, O_CLOEXEC) < 0)
        return failure("pipe");
    set_ends(client, back[0], there[1]);
    set_ends(server, there[0], back[1]);
    if (settings.buffer_bytes > 0 && (fcntl(there[1], F_SETPIPE_SZ, (int)settings.buffer_bytes) < 0 ||
                                      fcntl(back[1], F_SETPIPE_SZ, (int)settings.buffer_bytes) < 0))
        return failure("F_SETPIPE_SZ");
    return NULL;
}

// A socket on a loopback port of its own.
static int loopback_socket(int type, struct sockaddr_in *address) {
    socklen_t length = sizeof *address;
    int file = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (file >= 0 && (bind(file, (struct sockaddr *)address, length) < 0 ||
                      getsockname(file, (struct sockaddr *)address, &length) < 0)) {
        close(file);
        return -1;
    }
    return file;
}

const char *udp_join(struct end *client, struct end *server, size_t size) {
    struct sockaddr_in addresses[2];
    int first = loopback_socket(SOCK_DGRAM, &addresses[0]), second = loopback_socket(SOCK_DGRAM, &addresses[1]);
    set_ends(client, first, first);
    set_ends(server, second, second);
    if (first < 0 || second < 0 || connect(first, (struct sockaddr *)&addresses[1], sizeof *addresses) < 0 ||
        connect(second, (struct sockaddr *)&addresses[0], sizeof *addresses) < 0)
        return failure("UDP over loopback");
    return set_both_buffers(client, server, size);
}

const char *tcp_join(struct end *client, struct end *server, size_t size) {
    struct sockaddr_in addresses[2];
    int listener = loopback_socket(SOCK_STREAM, &addresses[0]), yes = 1;
    int first = loopback_socket(SOCK_STREAM, &addresses[1]), second = -1;
    (void)size;
    if (listener >= 0 && first >= 0 && listen(listener, 1) == 0 &&
        connect(first, (struct sockaddr *)&addresses[0], sizeof *addresses) == 0)
        second = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    set_ends(client, first, first);
    set_ends(server, second, second);
    const char *reason = second < 0 ? failure("TCP over loopback") : NULL;
    if (listener >= 0)
        close(listener);
    if (reason)
        return reason;
    setsockopt(first, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(second, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return set_both_buffers(client, server, 0);
}

void files_close(struct end *end) {
    if (end->writing >= 0 && end->writing != end->reading)
        close(end->writing);
    if (end->reading >= 0)
        close(end->reading);
}

void files_unblock(struct end *end) { fcntl(end->writing, F_SETFL, fcntl(end->writing, F_GETFL) | O_NONBLOCK); }

ssize_t files_send(struct end *end, const void *message, size_t size, enum patience patience) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = write(end->writing, (const char *)message + done, size - done);
        if (count >= 0) {
            done += (size_t)count;
        } else if (errno == EAGAIN) {
            // What has been begun is brought to an end.
            if (patience == TRY && done == 0)
                return 0;
            poll(&(struct pollfd){.fd = end->writing, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return (ssize_t)size;
}

ssize_t files_receive_message(struct end *end, void *buffer, size_t size) {
    ssize_t count = read(end->reading, buffer, size + SLACK);
    return count > 0 ? count : count < 0 ? -errno : -EPIPE;
}

ssize_t files_receive_exactly(struct end *end, void *buffer, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(end->reading, (char *)buffer + done, size - done);
        if (count <= 0)
            return count < 0 ? -errno : -EPIPE;
        done += (size_t)count;
    }
    return (ssize_t)size;
}

struct watch {
    int epoll;
    int count, taken;
    struct epoll_event events[MAX_CHANNELS];
};

struct watch *files_watch(struct end *ends, int count) {
    struct watch *watch = malloc(sizeof *watch);
    *watch = (struct watch){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        if (epoll_ctl(watch->epoll, EPOLL_CTL_ADD, ends[i].reading, &event) < 0)
            return NULL;
    }
    return watch;
}

int files_next(struct watch *watch) {
    while (watch->taken == watch->count) {
        int count = epoll_wait(watch->epoll, watch->events, MAX_CHANNELS, -1);
        if (count < 0 && errno != EINTR)
            return -errno;
        watch->count = count < 0 ? 0 : count;
        watch->taken = 0;
    }
    return (int)watch->events[watch->taken++].data.u32;
}
