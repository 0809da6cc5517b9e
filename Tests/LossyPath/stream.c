// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One end of a stream of messages without loss, each with its number and bytes that follow from the number. The server says
// at the end what arrived, and the client whether it is what was sent.
//
// usage: stream serve NAME
//        stream send NAME SECONDS SEED
//
// The server serves one client after the other. The client prints "right: N messages, M bytes", or what is wrong, and
// exits with 1 then.

#define _GNU_SOURCE
#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/irm.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 1 << 20 };

struct head {
    uint64_t number;
    uint64_t seed;
};

struct tally {
    uint64_t messages;
    uint64_t bytes;
    uint64_t wrong;
};

/* The number of the last message, which has a tally behind its head. */
static const uint64_t last = UINT64_MAX;
static unsigned char buffer[LONGEST];
static unsigned char expected[LONGEST];

static uint64_t mixed(uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/* Most are one packet or two, some are many. */
static size_t length(struct head head) {
    uint64_t random = mixed(head.number * 2654435761u + head.seed);
    size_t most = random % 1000 < 900 ? 2800 : random % 1000 < 995 ? 65536 : LONGEST;
    return sizeof head + (size_t)(random >> 10) % (most - sizeof head);
}

static size_t make(struct head head, unsigned char *message) {
    size_t bytes = length(head), place = sizeof head;
    memcpy(message, &head, sizeof head);
    for (uint64_t word = mixed(head.seed ^ head.number); place < bytes; place += sizeof word) {
        size_t piece = bytes - place < sizeof word ? bytes - place : sizeof word;
        word = word * 6364136223846793005u + 1442695040888963407u;
        memcpy(message + place, &word, piece);
    }
    return bytes;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void answer(int fd) {
    struct tally tally = {0};
    for (;;) {
        ssize_t got = flow_read(fd, buffer, sizeof buffer);
        struct head head;
        if (got == 0)
            continue; /* The message before had filled the buffer. */
        if (got < (ssize_t)sizeof head) {
            printf("the server read %zd after %llu messages\n", got, (unsigned long long)tally.messages);
            fflush(stdout);
            return;
        }
        memcpy(&head, buffer, sizeof head);
        if (head.number == last) {
            if (flow_write(fd, &tally, sizeof tally) != sizeof tally)
                printf("the server could not answer\n");
            /* The client ends the flow when it has the answer. */
            while (flow_read(fd, buffer, sizeof buffer) >= 0)
                ;
            return;
        }
        struct head due = {.number = tally.messages, .seed = head.seed};
        size_t bytes = make(due, expected);
        if ((size_t)got != bytes || memcmp(buffer, expected, bytes) != 0)
            tally.wrong++;
        tally.messages++;
        tally.bytes += (uint64_t)got;
    }
}

static int serve(const char *name) {
    if (irm_bind_process(getpid(), name) < 0)
        return 1;
    for (;;) {
        int fd = flow_accept(NULL, NULL);
        if (fd < 0)
            return 1;
        answer(fd);
        flow_dealloc(fd);
    }
}

static int say(const char *what, ssize_t result) {
    printf("%s: %zd\n", what, result);
    return 1;
}

static int send_all(const char *name, double seconds, uint64_t seed) {
    qosspec_t quality = qos_data;
    int fd = flow_alloc(name, &quality, NULL);
    if (fd < 0)
        return say("flow_alloc", fd);
    struct tally sent = {0}, there;
    double end = now() + seconds;
    do {
        struct head head = {.number = sent.messages, .seed = seed};
        size_t bytes = make(head, buffer);
        ssize_t result = flow_write(fd, buffer, bytes);
        if (result != (ssize_t)bytes)
            return say("flow_write", result);
        sent.messages++;
        sent.bytes += bytes;
    } while (now() < end);
    struct head farewell = {.number = last, .seed = seed};
    ssize_t result = flow_write(fd, &farewell, sizeof farewell);
    if (result != sizeof farewell)
        return say("flow_write of the end", result);
    result = flow_read(fd, &there, sizeof there);
    if (result != sizeof there)
        return say("flow_read", result);
    flow_dealloc(fd);
    bool is_right = there.messages == sent.messages && there.bytes == sent.bytes && there.wrong == 0;
    printf("%s: %llu messages, %llu bytes", is_right ? "right" : "wrong", (unsigned long long)sent.messages,
           (unsigned long long)sent.bytes);
    if (!is_right)
        printf("; there: %llu messages, %llu bytes, %llu wrong", (unsigned long long)there.messages,
               (unsigned long long)there.bytes, (unsigned long long)there.wrong);
    printf("\n");
    return is_right ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 5 && strcmp(argv[1], "send") == 0)
        return send_all(argv[2], atof(argv[3]), strtoull(argv[4], NULL, 10));
    fprintf(stderr, "usage: stream serve NAME | stream send NAME SECONDS SEED\n");
    return 2;
}
