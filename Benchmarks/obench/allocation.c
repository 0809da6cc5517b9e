// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What it costs to allocate a flow and give it back, for clients that do so one flow after the other and a server that
// is ready.

#include "clock.h"
#include "histogram.h"
#include "measures.h"
#include "trial.h"

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>

#include <string.h>

// A flow takes much longer than a message.
#define ALLOCATING_SECONDS(seconds) (4 * (seconds))

struct allocations {
    _Atomic int clients_left;
    struct {
        struct histogram times; // of allocation and deallocation together
        uint64_t start, end;
    } results[MAX_CLIENTS];
};

static void serve(void *subject) {
    struct allocations *allocations = subject;
    // Now and then a look whether somebody is left.
    struct timespec while_waiting = timespec_of(10000000);
    expect("irm_bind_process", flows_listen());
    say_ready();
    await_start();
    while (atomic_load(&allocations->clients_left) > 0) {
        int flow = flow_accept(NULL, &while_waiting);
        if (flow >= 0)
            flow_dealloc(flow);
        else if (flow != -ETIMEDOUT)
            expect("flow_accept", flow);
    }
    expect("irm_unbind_process", flows_unlisten());
}

static void allocate(void *subject) {
    struct allocations *allocations = subject;
    int number = client_number();
    struct end end;
    await_start();
    while (phase_now() != STOPPING) {
        uint64_t before = nanoseconds_now();
        expect("flow_alloc", flows_open(&end, CLIENT));
        flows_close(&end);
        uint64_t after = nanoseconds_now();
        if (phase_now() != MEASURING)
            continue;
        if (allocations->results[number].times.count == 0)
            allocations->results[number].start = before;
        allocations->results[number].end = after;
        histogram_add(&allocations->results[number].times, after - before);
    }
    atomic_fetch_sub(&allocations->clients_left, 1);
}

static void add_results(const struct allocations *allocations, int clients, struct row *row) {
    static struct histogram all;
    double rate = 0;
    memset(&all, 0, sizeof all);
    for (int i = 0; i < clients; i++) {
        uint64_t count = allocations->results[i].times.count;
        if (count == 0)
            continue;
        rate += (double)count / ((double)(allocations->results[i].end - allocations->results[i].start) / 1e9);
        histogram_merge(&all, &allocations->results[i].times);
    }
    if (all.count > 0)
        row_add(row, "flows_per_second", rate);
    row_add_times(row, &all);
}

static void run(const struct subject *subject, const char *what, struct row *row) {
    struct allocations *allocations = shared_memory(sizeof *allocations);
    atomic_store(&allocations->clients_left, subject->clients);
    if (trial_run(&(struct trial){.what = what, .place = subject->place, .server = serve, .client = allocate,
                                  .clients = subject->clients, .seconds = ALLOCATING_SECONDS(settings.seconds),
                                  .subject = allocations}))
        add_results(allocations, subject->clients, row);
    shared_memory_free(allocations, sizeof *allocations);
}

void measure_alloc(void) {
    static const int clients[] = {1, MAX_CLIENTS};
    for (int p = 0; p < settings.place_count; p++)
        for (int i = 0; i < 2; i++)
            repeat(&(struct subject){.measure = ALLOC, .place = settings.places[p], .clients = clients[i]}, run);
}
