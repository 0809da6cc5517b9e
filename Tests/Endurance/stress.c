// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two processes exchange messages of random sizes over one flow, both ways at once, with random pauses, so that each
// side is ahead, behind, asleep and full in turn. Every byte is checked, and every message must come once, in order.
//
// usage: stress ROUNDS SEED        a round is 2,000 messages each way

#include "support.h"

#include <pthread.h>

#define NAME "stress.endurance"
enum { MESSAGES = 2000, LARGEST = 300000 };

struct stream {
    uint64_t state;
    int fd;
    int rounds;
};

static uint64_t next_of(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

// Mostly small, sometimes nothing, sometimes much.
static size_t size_of_message(uint64_t *state) {
    uint64_t number = next_of(state);
    switch (number % 16) {
    case 0:
        return number / 16 % LARGEST + 1;
    case 1:
        return 0;
    default:
        return number / 16 % 1600 + 1;
    }
}

static void pause_sometimes(uint64_t *state) {
    uint64_t number = next_of(state);
    if (number % 256 == 0)
        usleep((useconds_t)(number / 256 % 2000));
}

static void *write_all(void *argument) {
    struct stream *stream = argument;
    uint64_t content = stream->state, pauses = stream->state ^ 0x5555;
    uint64_t *buffer = malloc(LARGEST + 8);
    if (!buffer)
        fail("malloc");
    for (int i = 0; i < stream->rounds * MESSAGES; i++) {
        size_t size = size_of_message(&content);
        uint64_t first = next_of(&content);
        for (size_t at = 0; at * 8 < size; at++)
            buffer[at] = first + at * 0x9E3779B97F4A7C15u;
        ssize_t written = flow_write(stream->fd, buffer, size);
        if (written != (ssize_t)size)
            fail("message %d of %zu bytes: wrote %zd", i, size, written);
        pause_sometimes(&pauses);
    }
    free(buffer);
    return NULL;
}

static void read_all(struct stream *stream) {
    uint64_t content = stream->state, pauses = stream->state ^ 0xAAAA;
    uint64_t *buffer = malloc(LARGEST + 8);
    if (!buffer)
        fail("malloc");
    for (int i = 0; i < stream->rounds * MESSAGES; i++) {
        size_t size = size_of_message(&content);
        uint64_t first = next_of(&content);
        if (size == 0)
            continue; // readers never see it
        ssize_t got = flow_read(stream->fd, buffer, LARGEST + 8);
        if (got != (ssize_t)size)
            fail("message %d of %zu bytes: read %zd", i, size, got);
        for (size_t at = 0; at * 8 < size; at++) {
            uint64_t expected = first + at * 0x9E3779B97F4A7C15u;
            size_t bytes = size - at * 8 < 8 ? size - at * 8 : 8;
            if (memcmp(&buffer[at], &expected, bytes) != 0)
                fail("message %d of %zu bytes differs at %zu", i, size, at * 8);
        }
        pause_sometimes(&pauses);
    }
    free(buffer);
}

static void exchange(int fd, uint64_t outward, uint64_t inward, int rounds) {
    pthread_t writer;
    struct stream out = {outward, fd, rounds}, in = {inward, fd, rounds};
    if (pthread_create(&writer, NULL, write_all, &out) != 0)
        fail("pthread_create");
    read_all(&in);
    pthread_join(writer, NULL);
}

struct plan {
    uint64_t forth, back;
    int rounds;
};

static void serve(int ready, void *argument) {
    struct plan *plan = argument;
    char byte;
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    int fd = flow_accept(NULL, NULL);
    if (fd < 0)
        fail("flow_accept: %d", fd);
    exchange(fd, plan->back, plan->forth, plan->rounds);
    // Until the client has read everything and left.
    if (flow_read(fd, &byte, 1) != -EFLOWDOWN)
        fail("the client did not leave");
    flow_dealloc(fd);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : now_ns();
    printf("seed %llu\n", (unsigned long long)random_state);
    if (random_state == 0)
        random_state = 1;
    setpgid(0, 0);
    alarm(60 + (unsigned)rounds * 10);
    struct plan plan = {random_number() | 1, random_number() | 1, rounds};
    pid_t server = start(serve, &plan);
    int fd = flow_alloc(NAME, NULL, NULL), status = 0;
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    exchange(fd, plan.forth, plan.back, rounds);
    flow_dealloc(fd);
    if (waitpid(server, &status, 0) != server || status != 0)
        fail("the server ended with %d", status);
    printf("%d messages each way, every byte as written\n", rounds * MESSAGES);
    puts("ok");
    return 0;
}
