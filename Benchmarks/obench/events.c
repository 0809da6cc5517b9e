// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One active flow among many in a set: what fevent and flow_read cost when its message is there already, and how long a
// round trip takes when the server waits in fevent. Both processes may have 1,024 file descriptors, however many flows
// there are.

#include "clock.h"
#include "histogram.h"
#include "measures.h"
#include "message.h"
#include "progress.h"
#include "trial.h"

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fqueue.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MESSAGE_BYTES = 64, FILE_DESCRIPTORS = 1024 };

struct events {
    double seconds; // for each kind of time
    // Which message has been written, and which has been read: they take turns.
    _Atomic uint64_t written __attribute__((aligned(128)));
    _Atomic uint64_t read __attribute__((aligned(128)));
    struct {
        struct histogram events, trips;
    } times[MAX_LIST];
};

static int greatest_set(void) {
    size_t greatest = 1;
    for (int i = 0; i < settings.sets.count; i++)
        greatest = settings.sets.values[i] > greatest ? settings.sets.values[i] : greatest;
    return (int)greatest;
}

static void limit_descriptors(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max > FILE_DESCRIPTORS)
        limit.rlim_cur = limit.rlim_max = FILE_DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// One flow for agreements, and as many as the greatest set has.
static struct end *open_flows(enum side side) {
    int count = 1 + greatest_set();
    struct end *ends = aligned_alloc(_Alignof(struct end), sizeof *ends * (size_t)count);
    if (!ends)
        fail("no memory");
    limit_descriptors();
    if (side == SERVER) {
        expect("irm_bind_process", flows_listen());
        say_ready();
    }
    for (int i = 0; i < count; i++)
        expect(side == SERVER ? "flow_accept" : "flow_alloc", flows_open(&ends[i], side));
    if (side == SERVER)
        expect("irm_unbind_process", flows_unlisten());
    await_start();
    return ends;
}

static void close_flows(struct end *ends) {
    for (int i = 0; i <= greatest_set(); i++)
        flows_close(&ends[i]);
    free(ends);
}

static uint64_t receive(struct end *end, void *message) {
    ssize_t count = flows_receive(end, message, MESSAGE_BYTES);
    expect("flow_read", count);
    if (count != MESSAGE_BYTES || !message_is_sealed(message, MESSAGE_BYTES, 0))
        fail("a damaged message of %zd bytes", count);
    return message_word(message, 0);
}

static void send_number(struct end *end, void *message, uint64_t number) {
    message_stamp(message, MESSAGE_BYTES, number, 0);
    expect("flow_write", flows_send(end, message, MESSAGE_BYTES, WAIT));
}

static void await_number(const _Atomic uint64_t *word, uint64_t number) {
    for (unsigned rounds = 0; atomic_load_explicit(word, memory_order_acquire) != number; spin(&rounds)) {
    }
}

// The active flow is in the middle of the set; before the set stands the flow for agreements.
static struct end *active(struct end *ends, size_t flows) { return &ends[1 + flows / 2]; }

// A quarter of the time is to warm up.
static bool is_measured(const struct events *events, uint64_t start) {
    return (double)(nanoseconds_now() - start) > events->seconds * 1e9 / 4;
}

static bool is_over(const struct events *events, uint64_t start) {
    return (double)(nanoseconds_now() - start) > events->seconds * 1e9 * 5 / 4;
}

static void await_event(fset_t *set, fqueue_t *queue, int flow) {
    expect("fevent", fevent(set, queue, NULL));
    int found = fqueue_next(queue);
    if (found != flow || fqueue_type(queue) != FLOW_PKT)
        fail("an event of flow %d instead of %d", found, flow);
}

static void serve_set(struct events *events, struct end *ends, int index) {
    size_t flows = settings.sets.values[index];
    struct end *end = active(ends, flows);
    struct timespec moment = timespec_of(1000000);
    fset_t *set = fset_create();
    fqueue_t *queue = fqueue_create();
    uint64_t message[(MESSAGE_BYTES + SLACK) / 8], number, start;
    if (!set || !queue)
        fail("no memory for a set");
    for (size_t i = 1; i <= flows; i++)
        expect("fset_add", fset_add(set, ends[i].reading));
    // The set has slept once, and so is as it will be.
    if (fevent(set, queue, &moment) != -ETIMEDOUT)
        fail("an event of nothing");
    send_number(&ends[0], message, 0);
    start = nanoseconds_now();
    for (number = 1;; number++) {
        await_number(&events->written, number);
        uint64_t before = nanoseconds_now();
        await_event(set, queue, end->reading);
        uint64_t got = receive(end, message), after = nanoseconds_now();
        if (got == LAST_MESSAGE)
            break;
        if (is_measured(events, start))
            histogram_add(&events->times[index].events, after - before);
        atomic_store_explicit(&events->read, number, memory_order_release);
    }
    atomic_store(&events->written, 0);
    atomic_store(&events->read, number);
    do {
        await_event(set, queue, end->reading);
        number = receive(end, message);
        send_number(end, message, number);
    } while (number != LAST_MESSAGE);
    fqueue_destroy(queue);
    fset_destroy(set);
}

static void serve(void *subject) {
    struct end *ends = open_flows(SERVER);
    for (int i = 0; i < settings.sets.count; i++)
        serve_set(subject, ends, i);
    close_flows(ends);
}

static void feed_set(struct events *events, struct end *ends, int index) {
    struct end *end = active(ends, settings.sets.values[index]);
    uint64_t message[(MESSAGE_BYTES + SLACK) / 8], number = 1, before;
    receive(&ends[0], message);
    uint64_t start = nanoseconds_now();
    for (bool is_last = false; !is_last; number++) {
        is_last = is_over(events, start);
        send_number(end, message, is_last ? LAST_MESSAGE : number);
        atomic_store_explicit(&events->written, number, memory_order_release);
        await_number(&events->read, number);
    }
    atomic_store(&events->read, 0);
    start = before = nanoseconds_now();
    for (bool is_last = false; !is_last;) {
        is_last = is_over(events, start);
        send_number(end, message, is_last ? LAST_MESSAGE : number);
        receive(end, message);
        uint64_t after = nanoseconds_now();
        if (is_measured(events, start))
            histogram_add(&events->times[index].trips, after - before);
        before = after;
    }
}

static void feed(void *subject) {
    struct end *ends = open_flows(CLIENT);
    for (int i = 0; i < settings.sets.count; i++)
        feed_set(subject, ends, i);
    close_flows(ends);
}

static void add_times(const struct events *events, enum place place) {
    for (int i = 0; i < settings.sets.count; i++) {
        const struct histogram *single = &events->times[i].events, *trips = &events->times[i].trips;
        struct row *row = row_about(&(struct subject){.measure = EVENTS, .transport = transport_named("flow"),
                                                      .place = place, .flows = settings.sets.values[i]});
        if (single->count == 0 || trips->count == 0)
            continue;
        row_add(row, "event_p50_ns", histogram_percentile(single, 0.5));
        row_add(row, "event_p99_ns", histogram_percentile(single, 0.99));
        row_add(row, "round_trip_p50_ns", histogram_percentile(trips, 0.5));
        row_add(row, "round_trip_p99_ns", histogram_percentile(trips, 0.99));
    }
}

void measure_events(void) {
    for (int round = 0; round < settings.rounds; round++) {
        struct events *events = shared_memory(sizeof *events);
        enum place place = settings.places[0];
        progress_show("events", round, settings.rounds);
        events->seconds = settings.seconds;
        if (trial_run(&(struct trial){.what = "events", .place = place, .server = serve, .client = feed, .clients = 1,
                                      .subject = events}))
            add_times(events, place);
        shared_memory_free(events, sizeof *events);
    }
}
