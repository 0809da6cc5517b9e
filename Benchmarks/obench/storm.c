// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A storm: processes with many threads each that all want flows at once, and one server that accepts them all.

#include "clock.h"
#include "conductor.h"
#include "measures.h"
#include "trial.h"

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>

#include <pthread.h>

enum { THREADS_OF_A_CLIENT = 16, FLOWS_OF_A_THREAD = 8, CALLERS = MAX_CLIENTS * THREADS_OF_A_CLIENT,
       FLOWS = CALLERS * FLOWS_OF_A_THREAD };

struct storm {
    // The server and all threads of the clients: no flow is given back before the last is there.
    pthread_barrier_t all_are_open;
    int accepted;
    _Atomic int refused;
    uint64_t start[MAX_CLIENTS], end;
};

static void serve(void *subject) {
    struct storm *storm = subject;
    // Now and then a look whether there is somebody left to wait for.
    struct timespec while_waiting = timespec_of(10000000);
    static struct end ends[FLOWS];
    expect("irm_bind_process", flows_listen());
    say_ready();
    await_start();
    while (storm->accepted + atomic_load(&storm->refused) < FLOWS) {
        int flow = flow_accept(NULL, &while_waiting);
        if (flow == -ETIMEDOUT)
            continue;
        expect("flow_accept", flow);
        ends[storm->accepted++].reading = flow;
        storm->end = nanoseconds_now();
    }
    expect("irm_unbind_process", flows_unlisten());
    pthread_barrier_wait(&storm->all_are_open);
    for (int i = 0; i < storm->accepted; i++)
        flows_close(&ends[i]);
}

static void *call(void *subject) {
    struct storm *storm = subject;
    struct end ends[FLOWS_OF_A_THREAD];
    for (int i = 0; i < FLOWS_OF_A_THREAD; i++)
        if (flows_open(&ends[i], CLIENT) < 0)
            atomic_fetch_add(&storm->refused, 1);
    pthread_barrier_wait(&storm->all_are_open);
    for (int i = 0; i < FLOWS_OF_A_THREAD; i++)
        flows_close(&ends[i]);
    return NULL;
}

static void join_storm(void *subject) {
    struct storm *storm = subject;
    pthread_t threads[THREADS_OF_A_CLIENT];
    await_start();
    storm->start[client_number()] = nanoseconds_now();
    for (int i = 0; i < THREADS_OF_A_CLIENT; i++)
        expect("pthread_create", -pthread_create(&threads[i], NULL, call, storm));
    for (int i = 0; i < THREADS_OF_A_CLIENT; i++)
        pthread_join(threads[i], NULL);
}

static void run(const struct subject *subject, const char *what, struct row *row) {
    struct storm *storm = shared_memory(sizeof *storm);
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&storm->all_are_open, &attributes, CALLERS + 1);
    if (trial_run(&(struct trial){.what = what, .place = subject->place, .server = serve, .client = join_storm,
                                  .clients = MAX_CLIENTS, .subject = storm})) {
        uint64_t start = storm->start[0];
        for (int i = 1; i < MAX_CLIENTS; i++)
            start = storm->start[i] < start ? storm->start[i] : start;
        row_add(row, "accepted_flows", storm->accepted);
        row_add(row, "refused_flows", atomic_load(&storm->refused));
        if (storm->accepted > 0)
            row_add(row, "flows_per_second", storm->accepted / ((double)(storm->end - start) / 1e9));
        if (storm->accepted != FLOWS)
            conductor_note_failure(what);
    }
    shared_memory_free(storm, sizeof *storm);
}

void measure_accept_storm(void) {
    for (int p = 0; p < settings.place_count; p++)
        repeat(&(struct subject){.measure = ACCEPT_STORM, .place = settings.places[p], .clients = MAX_CLIENTS}, run);
}
