// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What two programs in C reach over UDP: the measure for layers that use it.
// usage: udp-pair receive plain|batched ADDRESS PORT
//        udp-pair send plain|batched ADDRESS PORT BYTES SECONDS
//        udp-pair echo ADDRESS PORT
//        udp-pair ping ADDRESS PORT BYTES COUNT
//        udp-pair flood ADDRESS PORT RATE SECONDS
//
// `plain` is one datagram for each send() and recv(); `batched` is sendmmsg() and recvmmsg() of messages that the kernel
// splits and joins (UDP GSO and GRO). `receive` and `ping` write one line of JSON; `receive` ends when the sender says so,
// and has answered; `echo` when nothing comes for a while. `flood` is what a stranger sends to a layer: RATE datagrams a second, random, truncated, oversized and
// repeated; 0: as fast as it can.

#define _GNU_SOURCE
#include "../obench/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { MESSAGES = 8, LONGEST = 65487, MOST_PIECES = 64, BUFFER_BYTES = 4 << 20, FAREWELLS = 100 };

// In front of each datagram. The number LAST ends a run; `sent` then says how many there were.
struct mark {
    uint64_t number, sent;
};
static const uint64_t LAST = UINT64_MAX;

// Not a power of two, so that the beginnings do not meet in the cache.
static uint8_t buffers[MESSAGES][(1 << 16) + 192];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int usage(void) {
    fputs("usage: udp-pair receive plain|batched ADDRESS PORT\n"
          "       udp-pair send plain|batched ADDRESS PORT BYTES SECONDS\n"
          "       udp-pair echo ADDRESS PORT\n"
          "       udp-pair ping ADDRESS PORT BYTES COUNT\n"
          "       udp-pair flood ADDRESS PORT RATE SECONDS\n",
          stderr);
    return 2;
}

static socklen_t parse_address(const char *text, const char *port, struct sockaddr_in6 *address) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        memcpy(address, &four, sizeof four);
        return sizeof four;
    }
    address->sin6_family = AF_INET6;
    address->sin6_port = htons((uint16_t)atoi(port));
    if (inet_pton(AF_INET6, text, &address->sin6_addr) == 1)
        return sizeof *address;
    fprintf(stderr, "udp-pair: %s is not an address\n", text);
    exit(2);
}

static int open_socket(const char *text, const char *port, bool is_server) {
    struct sockaddr_in6 address;
    socklen_t length = parse_address(text, port, &address);
    int fd = socket(address.sin6_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), bytes = BUFFER_BYTES;
    // Whoever waits for a peer that is not there ends.
    struct timeval patience = {.tv_sec = 10};
    if (fd < 0)
        fail("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if ((is_server ? bind : connect)(fd, (struct sockaddr *)&address, length) < 0)
        fail(is_server ? "bind" : "connect");
    return fd;
}

// What a run brought.
struct run {
    uint64_t received, bytes, reordered, next, sent, first, last;
};

// False when it was the last one.
static bool count(struct run *run, const uint8_t *bytes, size_t length) {
    struct mark mark;
    if (length < sizeof mark)
        return true;
    memcpy(&mark, bytes, sizeof mark);
    if (mark.number == LAST) {
        run->sent = mark.sent;
        return false;
    }
    run->received++;
    run->bytes += length;
    if (mark.number < run->next)
        run->reordered++;
    else
        run->next = mark.number + 1;
    return true;
}

static void receive_plain(int fd, struct run *run) {
    for (;;) {
        ssize_t length = recv(fd, buffers[0], sizeof buffers[0], 0);
        if (length < 0)
            fail("recv");
        run->first = run->first ? run->first : nanoseconds_now();
        if (!count(run, buffers[0], (size_t)length))
            return;
        run->last = nanoseconds_now();
    }
}

static size_t joined(struct msghdr *message) {
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(message); entry; entry = CMSG_NXTHDR(message, entry))
        if (entry->cmsg_level == IPPROTO_UDP && entry->cmsg_type == UDP_GRO)
            return (size_t) * (int *)CMSG_DATA(entry);
    return 0;
}

static void receive_batched(int fd, struct run *run) {
    static _Alignas(8) char controls[MESSAGES][CMSG_SPACE(sizeof(int))];
    struct mmsghdr messages[MESSAGES];
    struct iovec parts[MESSAGES];
    int one = 1;
    if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one) < 0)
        fail("UDP_GRO");
    for (;;) {
        for (int i = 0; i < MESSAGES; i++) {
            parts[i] = (struct iovec){buffers[i], 1 << 16};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
                                                  .msg_iovlen = 1,
                                                  .msg_control = controls[i],
                                                  .msg_controllen = sizeof controls[i]};
        }
        int arrived = recvmmsg(fd, messages, MESSAGES, MSG_WAITFORONE, NULL);
        if (arrived < 0)
            fail("recvmmsg");
        run->first = run->first ? run->first : nanoseconds_now();
        for (int i = 0; i < arrived; i++) {
            size_t length = messages[i].msg_len, piece = joined(&messages[i].msg_hdr);
            piece = piece ? piece : length;
            for (size_t at = 0; at < length; at += piece)
                if (!count(run, buffers[i] + at, length - at < piece ? length - at : piece))
                    return;
        }
        run->last = nanoseconds_now();
    }
}

static bool is_farewell(const uint8_t *bytes, ssize_t length) {
    return length >= (ssize_t)sizeof LAST && memcmp(bytes, &LAST, sizeof LAST) == 0;
}

// Answers farewells until the sender sends no more: one that is left over would end the run of the next receiver.
static void answer_farewells(int fd) {
    struct timeval silence = {.tv_usec = 100000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    for (;;) {
        struct sockaddr_in6 peer;
        socklen_t peer_length = sizeof peer;
        ssize_t length = recvfrom(fd, buffers[0], sizeof buffers[0], 0, (struct sockaddr *)&peer, &peer_length);
        if (length < 0)
            return;
        if (is_farewell(buffers[0], length))
            (void)sendto(fd, buffers[0], sizeof(struct mark), 0, (struct sockaddr *)&peer, peer_length);
    }
}

static int receive(bool batched, const char *address, const char *port) {
    struct run run = {0};
    int fd = open_socket(address, port, true);
    (batched ? receive_batched : receive_plain)(fd, &run);
    answer_farewells(fd);
    // Of one packet, or none, there is no rate.
    double seconds = run.last > run.first ? (double)(run.last - run.first) / 1e9 : 0;
    printf("{\"mode\": \"%s\", \"bytes\": %.0f, \"seconds\": %.3f, \"sent\": %llu, \"received\": %llu, "
           "\"packets_per_second\": %.0f, \"gigabits_per_second\": %.3f, \"lost\": %lld, \"reordered\": %llu}\n",
           batched ? "batched" : "plain", run.received ? (double)run.bytes / (double)run.received : 0, seconds,
           (unsigned long long)run.sent, (unsigned long long)run.received, seconds > 0 ? (double)run.received / seconds : 0,
           seconds > 0 ? (double)run.bytes * 8e-9 / seconds : 0, (long long)(run.sent - run.received),
           (unsigned long long)run.reordered);
    return 0;
}

// Until the receiver has answered.
static void say_last(int fd, uint64_t sent) {
    struct timeval patience = {.tv_usec = 20000};
    struct mark mark = {LAST, sent}, answer;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (int i = 0; i < FAREWELLS; i++) {
        if (send(fd, &mark, sizeof mark, 0) < 0 && errno != ENOBUFS && errno != ECONNREFUSED)
            fail("send");
        if (recv(fd, &answer, sizeof answer, 0) >= (ssize_t)sizeof answer && answer.number == LAST)
            return;
    }
    errno = ETIMEDOUT;
    fail("the receiver does not answer");
}

static uint64_t send_plain(int fd, size_t bytes, uint64_t end) {
    struct mark mark = {0};
    for (; mark.number % 64 || nanoseconds_now() < end; mark.number++) {
        memcpy(buffers[0], &mark, sizeof mark);
        if (send(fd, buffers[0], bytes, 0) < 0 && errno != ENOBUFS)
            fail("send");
    }
    return mark.number;
}

static uint64_t send_batched(int fd, size_t bytes, uint64_t end) {
    size_t pieces = LONGEST / bytes < MOST_PIECES ? LONGEST / bytes : MOST_PIECES;
    int size = (int)bytes;
    struct mmsghdr messages[MESSAGES];
    struct iovec parts[MESSAGES];
    struct mark mark = {0};
    if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) < 0)
        fail("UDP_SEGMENT");
    while (nanoseconds_now() < end) {
        for (int i = 0; i < MESSAGES; i++) {
            for (size_t piece = 0; piece < pieces; piece++, mark.number++)
                memcpy(buffers[i] + piece * bytes, &mark, sizeof mark);
            parts[i] = (struct iovec){buffers[i], pieces * bytes};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        }
        for (int done = 0, result; done < MESSAGES; done += result > 0 ? result : 1) {
            result = sendmmsg(fd, messages + done, (unsigned)(MESSAGES - done), 0);
            // Longer than the path takes in one piece: the kernel splits no such message.
            if (result < 0 && pieces > 1 && (errno == EMSGSIZE || errno == EINVAL)) {
                pieces = 1;
                size = 0;
                (void)setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
                mark.number = 0;
                break;
            }
            if (result < 0 && errno != ENOBUFS)
                fail("sendmmsg");
        }
    }
    return mark.number;
}

__attribute__((noreturn)) static void echo(const char *address, const char *port) {
    int fd = open_socket(address, port, true);
    for (;;) {
        struct sockaddr_in6 peer;
        socklen_t peer_length = sizeof peer;
        ssize_t length = recvfrom(fd, buffers[0], sizeof buffers[0], 0, (struct sockaddr *)&peer, &peer_length);
        if (length < 0)
            fail("recvfrom");
        if (sendto(fd, buffers[0], (size_t)length, 0, (struct sockaddr *)&peer, peer_length) < 0)
            fail("sendto");
    }
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static int ping(int fd, size_t bytes, size_t rounds) {
    uint64_t *spans = calloc(rounds, sizeof *spans);
    if (!spans)
        fail("calloc");
    for (struct mark mark = {0}; mark.number < rounds; mark.number++) {
        uint64_t begin = nanoseconds_now();
        memcpy(buffers[0], &mark, sizeof mark);
        if (send(fd, buffers[0], bytes, 0) < 0 || recv(fd, buffers[1], sizeof buffers[1], 0) < 0)
            fail("ping");
        spans[mark.number] = nanoseconds_now() - begin;
    }
    qsort(spans, rounds, sizeof *spans, compare);
    printf("{\"mode\": \"echo\", \"bytes\": %zu, \"rounds\": %zu, \"p50_ns\": %llu, \"p99_ns\": %llu}\n", bytes, rounds,
           (unsigned long long)spans[rounds / 2], (unsigned long long)spans[rounds - rounds / 100 - 1]);
    free(spans);
    return 0;
}

// Cut out of random bytes anywhere; some are for the management of the layer.
static int flood(int fd, double rate, double seconds) {
    static uint8_t noise[1 << 16];
    uint64_t begin = nanoseconds_now(), end = begin + (uint64_t)(seconds * 1e9), sent = 0, word = begin | 1, last = 0;
    for (size_t i = 0; i < sizeof noise / 8; i++, word ^= word << 13, word ^= word >> 7, word ^= word << 17)
        memcpy(noise + i * 8, &word, 8);
    for (unsigned rounds = 0; nanoseconds_now() < end; sent++) {
        uint64_t number = sent % 16 ? (word ^= word << 13, word ^= word >> 7, word ^= word << 17) : last;
        uint8_t *bytes = noise + number / 64 % 32768;
        size_t length = number % 8 == 0 ? 8990 + number / 8 % 400 : number % 8 == 1 ? number / 8 % 8 : number / 8 % 1400;
        uint8_t front[4];
        last = number;
        memcpy(front, bytes, sizeof front);
        if (number % 4 == 2)
            memset(bytes, 0, sizeof front);
        if (send(fd, bytes, length, 0) < 0 && errno != ENOBUFS && errno != ECONNREFUSED)
            fail("send");
        memcpy(bytes, front, sizeof front);
        while (rate > 0 && (double)(nanoseconds_now() - begin) * 1e-9 * rate < (double)sent && nanoseconds_now() < end)
            spin(&rounds);
    }
    printf("{\"mode\": \"flood\", \"packets_per_second\": %.0f}\n", (double)sent / seconds);
    return 0;
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    bool batched = argc > 2 && strcmp(argv[2], "batched") == 0;
    bool has_mode = batched || (argc > 2 && strcmp(argv[2], "plain") == 0);
    if (strcmp(verb, "receive") == 0 && argc == 5 && has_mode)
        return receive(batched, argv[3], argv[4]);
    if (strcmp(verb, "echo") == 0 && argc == 4)
        echo(argv[2], argv[3]);
    if (strcmp(verb, "flood") == 0 && argc == 6 && atof(argv[4]) >= 0 && atof(argv[5]) > 0)
        return flood(open_socket(argv[2], argv[3], false), atof(argv[4]), atof(argv[5]));
    bool is_send = strcmp(verb, "send") == 0 && argc == 7 && has_mode;
    if (!is_send && !(strcmp(verb, "ping") == 0 && argc == 6))
        return usage();
    long bytes = atol(argv[argc - 2]);
    double amount = atof(argv[argc - 1]);
    if (bytes < (long)sizeof(struct mark) || bytes > LONGEST || amount <= 0 || amount > 1e9)
        return usage();
    int fd = open_socket(argv[argc - 4], argv[argc - 3], false);
    if (!is_send)
        return ping(fd, (size_t)bytes, amount < 1 ? 1 : (size_t)amount);
    uint64_t end = nanoseconds_now() + (uint64_t)(amount * 1e9);
    say_last(fd, (batched ? send_batched : send_plain)(fd, (size_t)bytes, end));
    return 0;
}
