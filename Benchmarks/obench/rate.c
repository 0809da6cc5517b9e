// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One way as fast as it goes: the client writes, the server reads and checks each message. One thread on either side
// serves all channels, or each channel has a pair of threads. `verify` is the same with every byte checked.

#include "clock.h"
#include "conductor.h"
#include "measures.h"
#include "message.h"
#include "trial.h"

#include <pthread.h>
#include <stdlib.h>

// What the reader of a channel saw. The conductor looks at it meanwhile.
struct tally {
    _Atomic uint64_t received;
    uint64_t expected, misordered, damaged;
    _Atomic bool is_closed;
} __attribute__((aligned(128)));

// What the conductor saw at the beginning or at the end of measuring.
struct observation {
    double seconds, processor_seconds;
    uint64_t received[MAX_CHANNELS];
};

struct stream {
    struct connection connection;
    enum variant mode;
    bool is_verified;
    uint64_t sent[MAX_CHANNELS];
    struct observation begin, end;
    struct tally tallies[MAX_CHANNELS];
};

// A thread that writes or reads some of the channels.
struct worker {
    struct stream *stream;
    struct end *ends;
    int first, count;
    pthread_t thread;
};

static void look(void *subject, enum phase phase, double processor_seconds) {
    struct stream *stream = subject;
    struct observation *seen = phase == MEASURING ? &stream->begin : &stream->end;
    seen->seconds = (double)nanoseconds_now() / 1e9;
    for (int i = 0; i < stream->connection.count; i++)
        seen->received[i] = atomic_load_explicit(&stream->tallies[i].received, memory_order_relaxed);
    seen->processor_seconds = processor_seconds;
}

// True: it was the last one.
static inline bool inspect(struct stream *stream, int channel, const void *message, ssize_t count) {
    struct tally *tally = &stream->tallies[channel];
    size_t size = stream->connection.size;
    uint64_t number = message_word(message, 0);
    if ((size_t)count != size || !message_is_sealed(message, size, channel) ||
        (stream->is_verified && !message_is_whole(message, size, channel))) {
        tally->damaged++;
        return false;
    }
    // Where messages can be lost, the last one comes more than once.
    if (number == LAST_MESSAGE)
        return !atomic_exchange(&tally->is_closed, true);
    uint64_t received = atomic_load_explicit(&tally->received, memory_order_relaxed);
    atomic_store_explicit(&tally->received, received + 1, memory_order_relaxed);
    if (number < tally->expected)
        tally->misordered++;
    else
        tally->expected = number + 1;
    return false;
}

static bool is_closed(const struct stream *stream, int channel) {
    return atomic_load_explicit(&stream->tallies[channel].is_closed, memory_order_relaxed);
}

static inline int channel_after(const struct worker *worker, int channel) {
    return channel + 1 == worker->first + worker->count ? worker->first : channel + 1;
}

static void *read_channels(void *argument) {
    struct worker *worker = argument;
    struct stream *stream = worker->stream;
    const struct transport *transport = stream->connection.transport;
    struct watch *watch = NULL;
    char *message = message_buffer(stream->connection.size);
    if (stream->mode == FEVENT && !(watch = transport->watch(worker->ends, worker->count)))
        fail("the channels cannot be watched");
    for (int channel = worker->first, open = worker->count; open > 0;) {
        if (watch)
            expect("wait for events", channel = transport->next(watch));
        ssize_t count = transport->receive(&worker->ends[channel], message, stream->connection.size);
        expect("receive", count);
        open -= inspect(stream, channel, message, count);
        if (!watch && worker->count > 1)
            do
                channel = channel_after(worker, channel);
            while (open > 0 && is_closed(stream, channel));
    }
    free(message);
    return NULL;
}

// A reader may wait for any of the channels, so none of them can be waited for.
static void close_channels(struct worker *worker, char *message) {
    const struct connection *connection = &worker->stream->connection;
    bool has_ended[MAX_CHANNELS] = {false};
    unsigned rounds = 0;
    for (int left = worker->count; left > 0; spin(&rounds))
        for (int i = worker->first; i < worker->first + worker->count; i++) {
            if (has_ended[i])
                continue;
            if (!is_closed(worker->stream, i)) {
                message_fill(message, connection->size, LAST_MESSAGE, i);
                ssize_t count = connection->transport->send(&worker->ends[i], message, connection->size, TRY);
                expect("send", count);
                if (count == 0 || connection->transport->loses_messages)
                    continue;
            }
            has_ended[i] = true;
            left--;
        }
}

// Channels take turns; one that is full is left out, unless all are. There is one message at least.
static void *write_channels(void *argument) {
    struct worker *worker = argument;
    struct stream *stream = worker->stream;
    const struct transport *transport = stream->connection.transport;
    size_t size = stream->connection.size;
    char *message = message_buffer(size);
    uint64_t numbers[MAX_CHANNELS] = {0};
    int full = 0, i = worker->first;
    do {
        if (stream->is_verified)
            message_fill(message, size, numbers[i], i);
        else
            message_stamp(message, size, numbers[i], i);
        ssize_t count = transport->send(&worker->ends[i], message, size, full < worker->count - 1 ? TRY : WAIT);
        expect("send", count);
        full = count == 0 ? full + 1 : 0;
        numbers[i] += count != 0;
        i = channel_after(worker, i);
    } while (phase_now() != STOPPING);
    for (i = worker->first; i < worker->first + worker->count; i++)
        stream->sent[i] = numbers[i];
    close_channels(worker, message);
    free(message);
    return NULL;
}

static void work(struct stream *stream, enum side side) {
    struct connection *connection = &stream->connection;
    void *(*body)(void *) = side == SERVER ? read_channels : write_channels;
    int workers = stream->mode == THREADS ? connection->count : 1, each = connection->count / workers;
    struct worker team[MAX_CHANNELS];
    struct end *ends = connection_open(connection, side);
    if (side == CLIENT && each > 1 && connection->transport->unblock)
        for (int i = 0; i < connection->count; i++)
            connection->transport->unblock(&ends[i]);
    for (int i = 0; i < workers; i++) {
        team[i] = (struct worker){.stream = stream, .ends = ends, .first = i * each, .count = each};
        expect("pthread_create", -pthread_create(&team[i].thread, NULL, body, &team[i]));
    }
    for (int i = 0; i < workers; i++)
        pthread_join(team[i].thread, NULL);
    connection_close(connection, ends);
}

static void serve(void *subject) {
    work(subject, SERVER);
}

static void send_all(void *subject) {
    work(subject, CLIENT);
}

static void add_rates(const struct stream *stream, struct row *row) {
    const struct observation *begin = &stream->begin, *end = &stream->end;
    uint64_t packets = 0, least = UINT64_MAX, greatest = 0;
    for (int i = 0; i < stream->connection.count; i++) {
        uint64_t received = end->received[i] - begin->received[i];
        packets += received;
        least = received < least ? received : least;
        greatest = received > greatest ? received : greatest;
    }
    double rate = (double)packets / (end->seconds - begin->seconds);
    row_add(row, "packets_per_second", rate);
    row_add(row, "gigabits_per_second", rate * (double)stream->connection.size * 8 / 1e9);
    if (packets > 0)
        row_add(row, "cpu_seconds_per_million_packets",
                (end->processor_seconds - begin->processor_seconds) / (double)packets * 1e6);
    if (stream->connection.count > 1 && packets > 0)
        row_add(row, "fairness", (double)least / (double)greatest);
}

static void add_errors(const struct stream *stream, struct row *row, const char *what) {
    uint64_t sent = 0, received = 0, misordered = 0, damaged = 0;
    for (int i = 0; i < stream->connection.count; i++) {
        sent += stream->sent[i];
        received += stream->tallies[i].received;
        misordered += stream->tallies[i].misordered;
        damaged += stream->tallies[i].damaged;
    }
    row_add(row, "sent_packets", (double)sent);
    row_add(row, "lost_packets", (double)sent - (double)received);
    row_add(row, "misordered_packets", (double)misordered);
    row_add(row, "damaged_packets", (double)damaged);
    if (damaged || (!stream->connection.transport->loses_messages && (misordered || sent != received)))
        conductor_note_failure(what);
}

static void run(const struct subject *subject, const char *what, struct row *row) {
    struct stream *stream = shared_memory(sizeof *stream);
    stream->connection = (struct connection){
        .transport = subject->transport, .size = subject->bytes, .count = (int)subject->flows};
    stream->mode = subject->variant;
    stream->is_verified = subject->measure == VERIFY;
    row->impossible = connection_join(&stream->connection);
    if (!row->impossible) {
        if (trial_run(&(struct trial){.what = what, .place = subject->place, .server = serve, .client = send_all,
                                      .clients = 1, .seconds = settings.seconds, .subject = stream, .look = look})) {
            if (!stream->is_verified)
                add_rates(stream, row);
            add_errors(stream, row, what);
        }
        connection_forget(&stream->connection);
    }
    shared_memory_free(stream, sizeof *stream);
}

static bool has_mode(const struct transport *transport, const struct subject *subject) {
    return !transport->trips_for_each_look && (subject->variant != FEVENT || transport->watch);
}

// Every size with the first number of flows, the first size with every number of them; or everything with everything.
static bool is_wanted(int place, int size, int flows) {
    return settings.grid || flows == 0 || (size == 0 && place == 0);
}

void measure_rate(void) {
    for (int p = 0; p < settings.place_count; p++)
        for (int f = 0; f < settings.flows.count; f++)
            for (int s = 0; s < settings.sizes.count; s++)
                for (enum variant mode = BLOCKING; mode <= THREADS; mode++)
                    if (is_wanted(p, s, f) && (mode != THREADS || settings.flows.values[f] > 1))
                        interleave((struct subject){.measure = RATE, .place = settings.places[p],
                                                    .bytes = settings.sizes.values[s],
                                                    .flows = settings.flows.values[f], .variant = mode},
                                   has_mode, run);
}

void measure_verify(void) {
    for (int s = 0; s < settings.sizes.count; s++)
        interleave((struct subject){.measure = VERIFY, .place = settings.places[0],
                                    .bytes = settings.sizes.values[s], .flows = 1, .variant = BLOCKING},
                   has_mode, run);
}
