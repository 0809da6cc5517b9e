// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A path between two hosts with one address each: it forwards the datagrams of either to the other, and loses, doubles and
// delays some. Each host takes the path for the other host.
//
// usage: path OWN ADDRESS ADDRESS PORT SEED LOST DOUBLED DELAYED
//
// OWN and both ADDRESSes are IPv4 addresses of this machine; LOST, DOUBLED and DELAYED are shares in thousandths. A delayed
// datagram goes behind the next 1 to 16 datagrams of its direction. Prints what it did when it gets SIGTERM.

#define _GNU_SOURCE
#include "random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, LONGEST = 65536, HELD = 16 };

struct held {
    size_t bytes; // 0: the place is free
    unsigned behind;
    unsigned char data[LONGEST];
};

struct direction {
    struct sockaddr_in to;
    struct held held[HELD];
};

static volatile sig_atomic_t is_over;
static uint64_t forwarded, lost, doubled, delayed;
static int path_socket;

static void stop(int number) {
    (void)number;
    is_over = 1;
}

static struct sockaddr_in address(const char *text, const char *port) {
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    if (inet_pton(AF_INET, text, &result.sin_addr) != 1) {
        fprintf(stderr, "path: %s is no IPv4 address\n", text);
        exit(2);
    }
    return result;
}

// A full queue of the receiving host loses the datagram, as on a real path.
static void forward(const struct direction *direction, const void *data, size_t bytes) {
    if (sendto(path_socket, data, bytes, 0, (const struct sockaddr *)&direction->to, sizeof direction->to) >= 0)
        forwarded++;
}

static bool hold(struct direction *direction, const void *data, size_t bytes) {
    for (int index = 0; index < HELD; index++) {
        struct held *held = &direction->held[index];
        if (held->bytes == 0) {
            memcpy(held->data, data, bytes);
            held->bytes = bytes;
            held->behind = 1 + (unsigned)(random_number() % HELD);
            return true;
        }
    }
    return false;
}

static void release(struct direction *direction, bool all) {
    for (int index = 0; index < HELD; index++) {
        struct held *held = &direction->held[index];
        if (held->bytes > 0 && (all || --held->behind == 0)) {
            forward(direction, held->data, held->bytes);
            held->bytes = 0;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 9) {
        fprintf(stderr, "usage: path OWN ADDRESS ADDRESS PORT SEED LOST DOUBLED DELAYED\n");
        return 2;
    }
    static struct direction directions[2];
    static unsigned char buffers[BATCH][LONGEST];
    struct sockaddr_in own = address(argv[1], argv[4]);
    struct sockaddr_in hosts[2] = {address(argv[2], argv[4]), address(argv[3], argv[4])};
    unsigned shares[3] = {(unsigned)atoi(argv[6]), (unsigned)atoi(argv[7]), (unsigned)atoi(argv[8])};
    struct sigaction action = {.sa_handler = stop};
    struct timeval patience = {.tv_usec = 2000};
    int room = 8 << 20;

    random_state = strtoull(argv[5], NULL, 10) | 1;
    directions[0].to = hosts[1];
    directions[1].to = hosts[0];
    sigaction(SIGTERM, &action, NULL);
    path_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(path_socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(path_socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (path_socket < 0 || bind(path_socket, (struct sockaddr *)&own, sizeof own) < 0) {
        fprintf(stderr, "path: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    while (!is_over) {
        struct sockaddr_in from[BATCH];
        struct iovec parts[BATCH];
        struct mmsghdr messages[BATCH] = {0};
        for (int index = 0; index < BATCH; index++) {
            parts[index] = (struct iovec){buffers[index], LONGEST};
            messages[index].msg_hdr = (struct msghdr){
                .msg_name = &from[index], .msg_namelen = sizeof from[index], .msg_iov = &parts[index], .msg_iovlen = 1};
        }
        int count = recvmmsg(path_socket, messages, BATCH, MSG_WAITFORONE, NULL);
        // Nothing more came: what waits for others to overtake it goes.
        if (count <= 0) {
            release(&directions[0], true);
            release(&directions[1], true);
        }
        for (int index = 0; index < count; index++) {
            struct direction *direction = &directions[from[index].sin_addr.s_addr != hosts[0].sin_addr.s_addr];
            size_t bytes = messages[index].msg_len;
            unsigned chance = (unsigned)(random_number() % 1000);
            if (chance < shares[0]) {
                lost++;
            } else if (chance < shares[0] + shares[1]) {
                doubled++;
                forward(direction, buffers[index], bytes);
                forward(direction, buffers[index], bytes);
            } else if (chance < shares[0] + shares[1] + shares[2] && hold(direction, buffers[index], bytes)) {
                delayed++;
                continue;
            } else {
                forward(direction, buffers[index], bytes);
            }
            release(direction, false);
        }
    }
    printf("path: %llu forwarded, %llu lost, %llu doubled, %llu delayed\n", (unsigned long long)forwarded,
           (unsigned long long)lost, (unsigned long long)doubled, (unsigned long long)delayed);
    return 0;
}
