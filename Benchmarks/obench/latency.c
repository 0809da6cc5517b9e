// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round trips: while both sides are active, one after the other without a pause; and with a millisecond in between, so
// that both sides sleep before each.

#include "clock.h"
#include "histogram.h"
#include "measures.h"
#include "message.h"
#include "trial.h"

#include <stdlib.h>

#define INTERVAL_NANOSECONDS 1000000u
// There is one sample in a millisecond only.
#define PACED_SECONDS(seconds) (4 * (seconds))

struct ping {
    struct connection connection;
    bool is_paced;
    struct histogram trips;
};

static void expect_message(const void *message, size_t size, ssize_t count) {
    expect("receive", count);
    if ((size_t)count != size || !message_is_sealed(message, size, 0))
        fail("a damaged message of %zd bytes", count);
}

static void answer(void *subject) {
    struct ping *ping = subject;
    const struct transport *transport = ping->connection.transport;
    size_t size = ping->connection.size;
    struct end *end = connection_open(&ping->connection, SERVER);
    char *message = message_buffer(size);
    do {
        expect_message(message, size, transport->receive(end, message, size));
        expect("send", transport->send(end, message, size, WAIT));
    } while (message_word(message, 0) != LAST_MESSAGE);
    connection_close(&ping->connection, end);
}

static void go_there_and_back(struct ping *ping, struct end *end, char *message, uint64_t number) {
    const struct transport *transport = ping->connection.transport;
    size_t size = ping->connection.size;
    message_stamp(message, size, number, 0);
    expect("send", transport->send(end, message, size, WAIT));
    expect_message(message, size, transport->receive(end, message, size));
    if (message_word(message, 0) != number)
        fail("message %llu came back as %llu", (unsigned long long)number,
             (unsigned long long)message_word(message, 0));
}

// Each look at the clock ends one sample and begins the next.
static void ask(void *subject) {
    struct ping *ping = subject;
    const struct transport *transport = ping->connection.transport;
    unsigned trips = transport->trips_for_each_look ? transport->trips_for_each_look : 1;
    struct end *end = connection_open(&ping->connection, CLIENT);
    char *message = message_buffer(ping->connection.size);
    uint64_t number = 0, before = nanoseconds_now();
    while (phase_now() != STOPPING) {
        if (ping->is_paced) {
            struct timespec interval = timespec_of(INTERVAL_NANOSECONDS);
            nanosleep(&interval, NULL);
            before = nanoseconds_now();
        }
        for (unsigned i = 0; i < trips; i++)
            go_there_and_back(ping, end, message, number++);
        uint64_t after = nanoseconds_now();
        if (phase_now() == MEASURING)
            histogram_add(&ping->trips, (after - before) / trips);
        before = after;
    }
    go_there_and_back(ping, end, message, LAST_MESSAGE);
    connection_close(&ping->connection, end);
}

static void run(const struct subject *subject, const char *what, struct row *row) {
    struct ping *ping = shared_memory(sizeof *ping);
    ping->connection = (struct connection){.transport = subject->transport, .size = subject->bytes, .count = 1};
    ping->is_paced = subject->measure == WAKEUP;
    row->impossible = connection_join(&ping->connection);
    if (!row->impossible) {
        double seconds = ping->is_paced ? PACED_SECONDS(settings.seconds) : settings.seconds;
        if (trial_run(&(struct trial){.what = what, .place = subject->place, .server = answer, .client = ask,
                                      .clients = 1, .seconds = seconds, .subject = ping}))
            row_add_times(row, &ping->trips);
        connection_forget(&ping->connection);
    }
    shared_memory_free(ping, sizeof *ping);
}

static bool has_wakeup(const struct transport *transport, const struct subject *subject) {
    (void)subject;
    return transport->sleeps;
}

void measure_latency(void) {
    for (int p = 0; p < settings.place_count; p++)
        for (int s = 0; s < settings.sizes.count; s++)
            interleave((struct subject){.measure = LATENCY, .place = settings.places[p],
                                        .bytes = settings.sizes.values[s]},
                       NULL, run);
}

void measure_wakeup(void) {
    for (int p = 0; p < settings.place_count; p++)
        interleave((struct subject){.measure = WAKEUP, .place = settings.places[p],
                                    .bytes = settings.sizes.values[0]},
                   has_wakeup, run);
}
