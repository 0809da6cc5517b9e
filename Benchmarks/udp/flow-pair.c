// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What two programs reach by flows to another host; the counterpart of udp-pair.
// usage: flow-pair serve NAME
//        flow-pair send NAME BYTES SECONDS [FLOWS [RATE]]
//        flow-pair ping NAME BYTES COUNT
//        flow-pair alloc NAME COUNT
//
// With `send-data` and `ping-data` instead of `send` and `ping`, the flows are in order and without loss.
// RATE is in packets a second over all flows; 0 and without: as fast as they go. All but `serve`, which serves until it is
// ended, write one line of JSON.

#define _GNU_SOURCE
#include "../obench/clock.h"

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/irm.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FLOWS = 1000, FLOW_NUMBERS = 65536, LONGEST_RAW = 8976, LONGEST = 16 << 20 };
static const uint64_t LAST = UINT64_MAX;

// In front of each packet. The number LAST ends a run.
struct mark {
    uint64_t number, sent;
};

// What a flow has brought, which its server answers to LAST.
struct tally {
    uint64_t received, misordered, next, first, last;
    // Processor time of the server's process since it began, ns.
    uint64_t busy;
};

__attribute__((noreturn)) static void fail(const char *what, long result) {
    fprintf(stderr, "flow-pair: %s: %ld\n", what, result);
    exit(1);
}

static void must(const char *what, long result) {
    if (result < 0)
        fail(what, result);
}

static uint64_t busy_of_self(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Server: the first packet says what a flow is for. Echoes have a thread each, sinks are read by one.

static struct tally tallies[FLOW_NUMBERS];
static fset_t *sinks;

static void *echo(void *argument) {
    int flow = (int)(intptr_t)argument;
    static _Thread_local uint8_t packet[LONGEST_RAW];
    ssize_t count;
    while ((count = flow_read(flow, packet, sizeof packet)) >= 0)
        if (flow_write(flow, packet, (size_t)count) < 0)
            break;
    flow_dealloc(flow);
    return NULL;
}

static void take(int flow, const uint8_t *packet, ssize_t count, uint64_t now) {
    struct tally *tally = &tallies[flow];
    struct mark mark;
    if (count < (ssize_t)sizeof mark)
        return;
    memcpy(&mark, packet, sizeof mark);
    if (mark.number == LAST) {
        tally->busy = busy_of_self();
        (void)flow_write(flow, tally, sizeof *tally);
        return;
    }
    tally->last = now;
    if (tally->received++ == 0)
        tally->first = now;
    if (mark.number < tally->next)
        tally->misordered++;
    else
        tally->next = mark.number + 1;
}

static void *sink(void *argument) {
    // One more than the longest message, so that no read is followed by one that says that the message has ended.
    static uint8_t packet[LONGEST + 1];
    fqueue_t *queue = fqueue_create();
    (void)argument;
    for (;;) {
        must("fevent", fevent(sinks, queue, NULL));
        // Once for all that it tells of, as udp-pair does for a batch.
        uint64_t now = nanoseconds_now();
        for (int flow; (flow = fqueue_next(queue)) >= 0;) {
            if (fqueue_type(queue) == FLOW_PKT)
                take(flow, packet, flow_read(flow, packet, sizeof packet), now);
            else if (fqueue_type(queue) == FLOW_PEER || fqueue_type(queue) == FLOW_DEALLOC)
                flow_dealloc(flow);
        }
    }
    return NULL;
}

static int serve(const char *name) {
    pthread_t thread;
    must("irm_bind_process", irm_bind_process(getpid(), name));
    sinks = fset_create();
    pthread_create(&thread, NULL, sink, NULL);
    for (;;) {
        // One more than there is, so that the packet ends with it.
        uint8_t first[2] = {0};
        int flow = flow_accept(NULL, NULL);
        must("flow_accept", flow);
        // Allocations that are measured send nothing.
        if (flow_read(flow, first, sizeof first) != 1 || first[0] == 0) {
            flow_dealloc(flow);
        } else if (first[0] == 'E') {
            pthread_create(&thread, NULL, echo, (void *)(intptr_t)flow);
            pthread_detach(thread);
        } else {
            tallies[flow] = (struct tally){0};
            must("fset_add", fset_add(sinks, flow));
        }
    }
    return 0;
}

// Client.

// The other host shall notice soon that a flow has ended: nobody tells it.
static int open_flow(const char *name, char purpose, bool is_data) {
    qosspec_t quality = is_data ? qos_data : qos_raw;
    quality.timeout = 2000;
    int flow = flow_alloc(name, &quality, NULL);
    must("flow_alloc", flow);
    if (purpose)
        must("flow_write", flow_write(flow, &purpose, 1));
    return flow;
}

static uint64_t send_all(const int *flows, int count, size_t bytes, uint64_t end, double rate, uint64_t *numbers) {
    static uint8_t packet[LONGEST];
    uint64_t begin = nanoseconds_now(), sent = 0;
    int before_a_look = bytes <= LONGEST_RAW ? 64 : 1;
    while (nanoseconds_now() < end)
        for (int i = 0; i < before_a_look; i++, sent++) {
            int which = (int)(sent % (uint64_t)count);
            struct mark mark = {numbers[which]++, 0};
            memcpy(packet, &mark, sizeof mark);
            must("flow_write", flow_write(flows[which], packet, bytes));
            unsigned rounds = 0;
            while (rate > 0 && (double)(nanoseconds_now() - begin) * 1e-9 * rate < (double)sent)
                spin(&rounds);
        }
    return sent;
}

// Processor time of the four processes that a packet passes, ns.
struct usage {
    uint64_t sender, sender_ipcp, receiver_ipcp, receiver;
};

// The IPCPs of UDP layers on this machine: the one in this network namespace, and the others.
static struct usage usage_now(uint64_t receiver) {
    struct usage usage = {.sender = busy_of_self(), .receiver = receiver};
    char path[300], word[64], own[64] = "", other[64];
    DIR *processes = opendir("/proc");
    if (readlink("/proc/self/ns/net", own, sizeof own - 1) < 0 || !processes)
        fail("/proc", -errno);
    for (struct dirent *entry; (entry = readdir(processes));) {
        unsigned long long busy = 0;
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        bool is_ipcp = file && fgets(word, sizeof word, file) && strncmp(word, "ipcpd-udp", 9) == 0;
        if (file)
            fclose(file);
        snprintf(path, sizeof path, "/proc/%s/ns/net", entry->d_name);
        memset(other, 0, sizeof other);
        if (!is_ipcp || readlink(path, other, sizeof other - 1) < 0)
            continue;
        snprintf(path, sizeof path, "/proc/%s/schedstat", entry->d_name);
        file = fopen(path, "r");
        if (file && fscanf(file, "%llu", &busy) == 1)
            *(strcmp(own, other) == 0 ? &usage.sender_ipcp : &usage.receiver_ipcp) += busy;
        if (file)
            fclose(file);
    }
    closedir(processes);
    return usage;
}

// Microseconds for each message.
static double each(uint64_t before, uint64_t after, uint64_t messages) {
    return messages && after > before ? (double)(after - before) * 1e-3 / (double)messages : 0;
}

// What the flow's server has counted.
static struct tally ask(int flow, uint64_t sent) {
    struct mark mark = {LAST, sent};
    struct timespec patience = {0, 100000000};
    struct tally tally = {0};
    fccntl(flow, FLOWSRCVTIMEO, &patience);
    for (int i = 0; i < 100; i++) {
        must("flow_write", flow_write(flow, &mark, sizeof mark));
        if (flow_read(flow, &tally, sizeof tally) == sizeof tally)
            return tally;
    }
    fail("the server says nothing", -ETIMEDOUT);
}

static int send_packets(const char *name, size_t bytes, double seconds, int count, double rate, bool is_data) {
    static int flows[MOST_FLOWS];
    static uint64_t numbers[MOST_FLOWS];
    for (int i = 0; i < count; i++)
        flows[i] = open_flow(name, 'S', is_data);
    struct usage before = usage_now(ask(flows[0], 0).busy);
    uint64_t sent = send_all(flows, count, bytes, nanoseconds_now() + (uint64_t)(seconds * 1e9), rate, numbers);
    uint64_t busy = 0, received = 0, misordered = 0, first = UINT64_MAX, last = 0, least = UINT64_MAX, most = 0;
    for (int i = 0; i < count; i++) {
        struct tally tally = ask(flows[i], numbers[i]);
        received += tally.received;
        busy = tally.busy;
        misordered += tally.misordered;
        first = tally.received && tally.first < first ? tally.first : first;
        last = tally.last > last ? tally.last : last;
        least = tally.received < least ? tally.received : least;
        most = tally.received > most ? tally.received : most;
        flow_dealloc(flows[i]);
    }
    struct usage after = usage_now(busy);
    // Of one packet, or none, there is no rate.
    double span = received && last > first ? (double)(last - first) / 1e9 : 0;
    printf("{\"mode\": \"flow%s%s%s\", \"bytes\": %zu, \"flows\": %d, \"seconds\": %.3f, \"sent\": %llu, "
           "\"received\": %llu, \"packets_per_second\": %.0f, \"gigabits_per_second\": %.3f, \"lost\": %lld, "
           "\"reordered\": %llu, \"fairness\": %.3f, \"sender_us\": %.3f, \"sender_ipcp_us\": %.3f, "
           "\"receiver_ipcp_us\": %.3f, \"receiver_us\": %.3f}\n",
           is_data ? "-data" : "", count > 1 ? "-many" : "", rate > 0 ? "-paced" : "", bytes, count, span, (unsigned long long)sent,
           (unsigned long long)received, span > 0 ? (double)received / span : 0,
           span > 0 ? (double)received * (double)bytes * 8e-9 / span : 0,
           (long long)(sent - received), (unsigned long long)misordered, most ? (double)least / (double)most : 0,
           each(before.sender, after.sender, sent), each(before.sender_ipcp, after.sender_ipcp, sent),
           each(before.receiver_ipcp, after.receiver_ipcp, sent), each(before.receiver, after.receiver, sent));
    return 0;
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void say_spans(const char *mode, uint64_t *spans, size_t rounds, uint64_t total) {
    qsort(spans, rounds, sizeof *spans, compare);
    printf("{\"mode\": \"%s\", \"rounds\": %zu, \"p50_ns\": %llu, \"p99_ns\": %llu, \"per_second\": %.0f}\n", mode, rounds,
           (unsigned long long)spans[rounds / 2], (unsigned long long)spans[rounds - rounds / 100 - 1],
           (double)rounds * 1e9 / (double)total);
}

static int ping(const char *name, size_t bytes, size_t rounds, bool is_data) {
    static uint8_t packet[LONGEST];
    uint64_t *spans = calloc(rounds, sizeof *spans), begin = nanoseconds_now();
    if (!spans)
        fail("calloc", -ENOMEM);
    int flow = open_flow(name, 'E', is_data);
    for (size_t i = 0; i < rounds; i++) {
        uint64_t start = nanoseconds_now();
        must("flow_write", flow_write(flow, packet, bytes));
        must("flow_read", flow_read(flow, packet, sizeof packet));
        spans[i] = nanoseconds_now() - start;
    }
    say_spans(is_data ? "flow-data-echo" : "flow-echo", spans, rounds, nanoseconds_now() - begin);
    flow_dealloc(flow);
    return 0;
}

static int allocate(const char *name, size_t rounds) {
    uint64_t *spans = calloc(rounds, sizeof *spans), begin = nanoseconds_now();
    if (!spans)
        fail("calloc", -ENOMEM);
    for (size_t i = 0; i < rounds; i++) {
        uint64_t start = nanoseconds_now();
        int flow = open_flow(name, 0, false);
        spans[i] = nanoseconds_now() - start;
        char purpose = 0;
        (void)flow_write(flow, &purpose, 1);
        flow_dealloc(flow);
    }
    say_spans("flow-alloc", spans, rounds, nanoseconds_now() - begin);
    return 0;
}

int main(int argc, char **argv) {
    const char *verb = argc > 2 ? argv[1] : "";
    double amount = argc > 3 ? atof(argv[3]) : 0, extent = argc > 4 ? atof(argv[4]) : 0;
    int flows = argc > 5 ? atoi(argv[5]) : 1;
    bool is_data = strcmp(verb, "send-data") == 0 || strcmp(verb, "ping-data") == 0;
    bool is_packet = amount >= sizeof(struct mark) && amount <= (is_data ? LONGEST : LONGEST_RAW) && extent > 0;
    if (strcmp(verb, "serve") == 0 && argc == 3)
        return serve(argv[2]);
    if (strncmp(verb, "send", 4) == 0 && argc <= 7 && is_packet && flows > 0 && flows <= MOST_FLOWS)
        return send_packets(argv[2], (size_t)amount, extent, flows, argc > 6 ? atof(argv[6]) : 0, is_data);
    if (strncmp(verb, "ping", 4) == 0 && argc == 5 && is_packet && amount <= LONGEST_RAW)
        return ping(argv[2], (size_t)amount, (size_t)extent, is_data);
    if (strcmp(verb, "alloc") == 0 && argc == 4 && amount >= 1)
        return allocate(argv[2], (size_t)amount);
    fputs("usage: flow-pair serve NAME\n"
          "       flow-pair send NAME BYTES SECONDS [FLOWS [RATE]]\n"
          "       flow-pair ping NAME BYTES COUNT\n"
          "       flow-pair alloc NAME COUNT\n",
          stderr);
    return 2;
}
