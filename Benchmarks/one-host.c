// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Flows against a Unix seqpacket socket on one host, interleaved: one-way rate, round trip while both sides are
// active, round trip while both sleep, and the rate of flow allocation and deallocation.
//
// usage: one-host [ROUNDS]        needs an irmd; see Benchmarks/run

#define _GNU_SOURCE
#include <ouroboros/dev.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/irm.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "one-host.benchmark"
enum { SIZE = 64, MAX_ROUNDS = 64 };
enum job { ONE_WAY, PING, SLEEPY_PING, STOP };

struct order {
    uint32_t job;
    uint32_t count;
    uint8_t rest[SIZE - 8];
};

struct pipe_end {
    bool is_flow;
    int fd;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void put(struct pipe_end end, const void *bytes) {
    ssize_t count = end.is_flow ? flow_write(end.fd, bytes, SIZE) : send(end.fd, bytes, SIZE, 0);
    if (count != SIZE) {
        fprintf(stderr, "write: %zd\n", count);
        exit(1);
    }
}

static void get(struct pipe_end end, void *bytes) {
    ssize_t count = end.is_flow ? flow_read(end.fd, bytes, SIZE) : recv(end.fd, bytes, SIZE, 0);
    if (count != SIZE) {
        fprintf(stderr, "read: %zd\n", count);
        exit(1);
    }
}

static void serve(struct pipe_end end) {
    struct order order;
    uint64_t packet[SIZE / 8];
    for (;;) {
        get(end, &order);
        if (order.job == STOP)
            return;
        if (order.job == ONE_WAY) {
            for (uint32_t i = 0; i < order.count; i++) {
                get(end, packet);
                if (packet[0] != i) {
                    fprintf(stderr, "packet %u came as %lu\n", i, (unsigned long)packet[0]);
                    exit(1);
                }
            }
            put(end, packet);
        } else {
            for (uint32_t i = 0; i < order.count; i++) {
                get(end, packet);
                put(end, packet);
            }
        }
    }
}

// Seconds for each packet or round trip.
static double run(struct pipe_end end, enum job job, uint32_t count) {
    struct order order = {.job = job, .count = count};
    uint64_t packet[SIZE / 8] = {0};
    double spent = 0;
    put(end, &order);
    double start = now();
    for (uint32_t i = 0; i < count; i++) {
        packet[0] = i;
        if (job == SLEEPY_PING) {
            usleep(1000);
            double before = now();
            put(end, packet);
            get(end, packet);
            spent += now() - before;
        } else {
            put(end, packet);
            if (job == PING)
                get(end, packet);
        }
    }
    if (job == ONE_WAY)
        get(end, packet);
    if (job != SLEEPY_PING)
        spent = now() - start;
    return spent / count;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static double allocations(int count) {
    double start = now();
    for (int i = 0; i < count; i++) {
        int fd = flow_alloc(NAME, NULL, NULL);
        if (fd < 0) {
            fprintf(stderr, "flow_alloc: %d\n", fd);
            exit(1);
        }
        flow_dealloc(fd);
    }
    return count / (now() - start);
}

static void child(int socket) {
    char ready = 1;
    if (irm_bind_process(getpid(), NAME) < 0)
        exit(1);
    if (write(socket, &ready, 1) != 1)
        exit(1);
    int fd = flow_accept(NULL, NULL);
    if (fd < 0)
        exit(1);
    fccntl(fd, FLOWSFLAGS, (uint32_t)(FLOWFRDWR | FLOWFRNOPART));
    if (fork() == 0) {
        serve((struct pipe_end){false, socket});
        _exit(0);
    }
    serve((struct pipe_end){true, fd});
    flow_dealloc(fd);
    while ((fd = flow_accept(NULL, NULL)) >= 0)
        flow_dealloc(fd);
    exit(0);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    int pair[2];
    char ready;
    double results[2][3][MAX_ROUNDS];
    static const uint32_t counts[3] = {400000, 50000, 200};
    static const char *const names[3] = {"one way, 64 B", "round trip, both active", "round trip, both asleep"};
    if (rounds < 1 || rounds > MAX_ROUNDS)
        return 2;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
        return 1;
    pid_t server = fork();
    if (server == 0)
        child(pair[1]);
    if (read(pair[0], &ready, 1) != 1)
        return 1;
    int fd = flow_alloc(NAME, NULL, NULL);
    if (fd < 0) {
        fprintf(stderr, "flow_alloc: %d\n", fd);
        return 1;
    }
    fccntl(fd, FLOWSFLAGS, (uint32_t)(FLOWFRDWR | FLOWFRNOPART));
    struct pipe_end ends[2] = {{true, fd}, {false, pair[0]}};
    for (int round = 0; round < rounds; round++)
        for (int job = 0; job < 3; job++)
            for (int kind = 0; kind < 2; kind++)
                results[kind][job][round] = run(ends[kind], (enum job)job, counts[job] / (kind == 1 && job == 0 ? 4 : 1));
    for (int job = 0; job < 3; job++) {
        double flow = median(results[0][job], rounds), other = median(results[1][job], rounds);
        printf("%-26s flow %10.0f ns   seqpacket %10.0f ns   ratio %6.2f\n", names[job], flow * 1e9, other * 1e9,
               other / flow);
    }
    struct order stop = {.job = STOP};
    put(ends[0], &stop);
    put(ends[1], &stop);
    flow_dealloc(fd);
    double rates[5];
    for (int round = 0; round < 5; round++)
        rates[round] = allocations(2000);
    printf("allocation + deallocation  %.0f a second\n", median(rates, 5));
    kill(server, 9);
    waitpid(server, NULL, 0);
    return 0;
}
