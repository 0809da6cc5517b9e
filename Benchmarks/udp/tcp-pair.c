// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What two programs in C reach over TCP with CUBIC: the measure for flows in order and without loss.
// usage: tcp-pair serve ADDRESS PORT
//        tcp-pair send ADDRESS PORT BYTES SECONDS
//        tcp-pair ping ADDRESS PORT BYTES COUNT
//
// BYTES are those of one write. `serve` serves until it is ended; the others write one line of JSON.

#define _GNU_SOURCE
#include "../obench/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST = 1 << 20 };

// What a sink has taken, which it answers when its peer has ended.
struct tally {
    uint64_t bytes, first, last;
};

__attribute__((noreturn)) static void fail(const char *what) {
    fprintf(stderr, "tcp-pair: %s: %s\n", what, strerror(errno));
    exit(1);
}

// The kernel's default may be another congestion control.
static void use_cubic(int fd) {
    int yes = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) < 0)
        fail("TCP_CONGESTION");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static struct sockaddr_storage address_of(const char *text, const char *port, socklen_t *length) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)atoi(port));
        *length = sizeof *four;
    } else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)atoi(port));
        *length = sizeof *six;
    } else {
        errno = EINVAL;
        fail(text);
    }
    return storage;
}

static void *attend(void *argument) {
    static _Thread_local uint8_t bytes[LONGEST];
    int fd = (int)(intptr_t)argument;
    struct tally tally = {0};
    uint8_t purpose;
    ssize_t count;
    if (read(fd, &purpose, 1) == 1 && purpose == 'E') {
        while ((count = read(fd, bytes, sizeof bytes)) > 0)
            if (write(fd, bytes, (size_t)count) != count)
                break;
    } else {
        while ((count = read(fd, bytes, sizeof bytes)) > 0) {
            tally.last = nanoseconds_now();
            if (tally.bytes == 0)
                tally.first = tally.last;
            tally.bytes += (uint64_t)count;
        }
        if (write(fd, &tally, sizeof tally) < 0)
            perror("write");
    }
    close(fd);
    return NULL;
}

static int serve(const char *address, const char *port) {
    socklen_t length;
    struct sockaddr_storage own = address_of(address, port, &length);
    int yes = 1, listener = socket(own.ss_family, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&own, length) < 0 || listen(listener, 8) < 0)
        fail("listen");
    for (;;) {
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            fail("accept");
        use_cubic(fd);
        if (pthread_create(&thread, NULL, attend, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
}

static int open_connection(const char *address, const char *port, char purpose) {
    socklen_t length;
    struct sockaddr_storage peer = address_of(address, port, &length);
    int fd = socket(peer.ss_family, SOCK_STREAM, 0);
    use_cubic(fd);
    if (connect(fd, (struct sockaddr *)&peer, length) < 0)
        fail("connect");
    if (write(fd, &purpose, 1) != 1)
        fail("write");
    return fd;
}

static int send_bytes(const char *address, const char *port, size_t bytes, double seconds) {
    static uint8_t message[LONGEST];
    int fd = open_connection(address, port, 'S');
    uint64_t end = nanoseconds_now() + (uint64_t)(seconds * 1e9);
    struct tally tally;
    while (nanoseconds_now() < end)
        for (int i = 0; i < 64; i++)
            for (size_t done = 0; done < bytes;) {
                ssize_t count = write(fd, message, bytes - done);
                if (count < 0)
                    fail("write");
                done += (size_t)count;
            }
    shutdown(fd, SHUT_WR);
    if (recv(fd, &tally, sizeof tally, MSG_WAITALL) != sizeof tally)
        fail("the server says nothing");
    double span = (double)(tally.last - tally.first) * 1e-9;
    printf("{\"mode\": \"tcp\", \"bytes\": %zu, \"seconds\": %.3f, \"packets_per_second\": %.0f, "
           "\"gigabits_per_second\": %.3f}\n",
           bytes, span, (double)tally.bytes / (double)bytes / span, (double)tally.bytes * 8e-9 / span);
    return 0;
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static int ping(const char *address, const char *port, size_t bytes, size_t rounds) {
    static uint8_t message[LONGEST];
    uint64_t *spans = calloc(rounds, sizeof *spans);
    int fd = open_connection(address, port, 'E');
    if (!spans)
        fail("calloc");
    for (size_t i = 0; i < rounds; i++) {
        uint64_t begin = nanoseconds_now();
        if (write(fd, message, bytes) != (ssize_t)bytes || recv(fd, message, bytes, MSG_WAITALL) != (ssize_t)bytes)
            fail("ping");
        spans[i] = nanoseconds_now() - begin;
    }
    qsort(spans, rounds, sizeof *spans, compare);
    printf("{\"mode\": \"tcp-echo\", \"rounds\": %zu, \"p50_ns\": %llu, \"p99_ns\": %llu}\n", rounds,
           (unsigned long long)spans[rounds / 2], (unsigned long long)spans[rounds - rounds / 100 - 1]);
    return 0;
}

int main(int argc, char **argv) {
    double amount = argc > 4 ? atof(argv[4]) : 0, extent = argc > 5 ? atof(argv[5]) : 0;
    bool is_measure = argc == 6 && amount >= 1 && amount <= LONGEST && extent > 0;
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], argv[3]);
    if (is_measure && strcmp(argv[1], "send") == 0)
        return send_bytes(argv[2], argv[3], (size_t)amount, extent);
    if (is_measure && extent >= 1 && strcmp(argv[1], "ping") == 0)
        return ping(argv[2], argv[3], (size_t)amount, (size_t)extent);
    fputs("usage: tcp-pair serve ADDRESS PORT\n"
          "       tcp-pair send ADDRESS PORT BYTES SECONDS\n"
          "       tcp-pair ping ADDRESS PORT BYTES COUNT\n",
          stderr);
    return 2;
}
