// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What carries messages between two processes. A new one is a row in transport.c and the functions that it names.

#ifndef OBENCH_TRANSPORT_H
#define OBENCH_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MAX_CHANNELS = 16 };

// The client opens and, in one-way runs, writes; the server accepts and reads.
enum side { CLIENT, SERVER };

// Whether a send waits for room.
enum patience { WAIT, TRY };

// One end of a channel, in the memory of its process.
struct end {
    // Flow descriptors or file descriptors; negative: none.
    int reading, writing;
    // Only of flow-swift.
    void *flow;
    // Only of rings (ring.c): where the two directions stand, and what this end knows of them.
    struct direction *arriving, *departing;
    struct {
        uint64_t tail, head, wrap;
    } producer, consumer;
} __attribute__((aligned(128)));

// What waits for messages of several channels.
struct watch;

struct transport {
    const char *name;
    const char *title;
    // Beyond this nothing can be sent, and the reason; without a reason nothing is said about it.
    size_t greatest_message;
    const char *limit;
    bool loses_messages;
    // It can wait asleep; the others spin.
    bool sleeps;
    // Only round trips make sense, with one look at the clock for so many of them; 0: no such restriction.
    unsigned trips_for_each_look;

    // Makes both ends, before the two processes are forked; NULL or why that is not possible. No function: `open` does.
    const char *(*join)(struct end *client, struct end *server, size_t size);
    // In the processes: before the first `open` of the server, and after its last; then each end.
    int (*listen)(void);
    int (*unlisten)(void);
    int (*open)(struct end *end, enum side side);
    void (*close)(struct end *end);
    // From here on a `send` that may TRY does not wait.
    void (*unblock)(struct end *end);

    // The size; 0: there was no room; or a negative error number.
    ssize_t (*send)(struct end *end, const void *message, size_t size, enum patience patience);
    // One message into a buffer with SLACK behind it. The bytes that came, or a negative error number.
    ssize_t (*receive)(struct end *end, void *buffer, size_t size);

    // Writing and reading in place; NULL: there is no way to. `reserve` is like `send`, and stores where to write; what
    // is written there is sent by `commit`. `look` is like `receive`, and stores where to read until `release`.
    ssize_t (*reserve)(struct end *end, void **place, size_t size, enum patience patience);
    int (*commit)(struct end *end, size_t size);
    ssize_t (*look)(struct end *end, const void **message);
    int (*release)(struct end *end);

    // Waits for messages of `count` ends; NULL: there is no way to.
    struct watch *(*watch)(struct end *ends, int count);
    // The number of an end that has one message.
    int (*next)(struct watch *watch);
};

extern const struct transport transports[];
extern const int transport_count;
const struct transport *transport_named(const char *name);

// Their operations, by file.

extern const char *flow_service_name; // the name that the server of a run is bound to
int flows_listen(void);
int flows_unlisten(void);
int flows_open(struct end *end, enum side side);
void flows_close(struct end *end);
void flows_unblock(struct end *end);
ssize_t flows_send(struct end *end, const void *message, size_t size, enum patience patience);
ssize_t flows_receive(struct end *end, void *buffer, size_t size);
ssize_t flows_reserve(struct end *end, void **place, size_t size, enum patience patience);
int flows_commit(struct end *end, size_t size);
ssize_t flows_look(struct end *end, const void **message);
int flows_release(struct end *end);
struct watch *flows_watch(struct end *ends, int count);
int flows_next(struct watch *watch);

int swift_open(struct end *end, enum side side);
void swift_close(struct end *end);
void swift_unblock(struct end *end);
ssize_t swift_send(struct end *end, const void *message, size_t size, enum patience patience);
ssize_t swift_receive(struct end *end, void *buffer, size_t size);
struct watch *swift_watch(struct end *ends, int count);
int swift_next(struct watch *watch);

const char *seqpacket_join(struct end *client, struct end *server, size_t size);
const char *stream_join(struct end *client, struct end *server, size_t size);
const char *pipe_join(struct end *client, struct end *server, size_t size);
const char *udp_join(struct end *client, struct end *server, size_t size);
const char *tcp_join(struct end *client, struct end *server, size_t size);
void files_close(struct end *end);
void files_unblock(struct end *end);
ssize_t files_send(struct end *end, const void *message, size_t size, enum patience patience);
ssize_t files_receive_message(struct end *end, void *buffer, size_t size);
ssize_t files_receive_exactly(struct end *end, void *buffer, size_t size);
struct watch *files_watch(struct end *ends, int count);
int files_next(struct watch *watch);

const char *ring_join(struct end *client, struct end *server, size_t size);
ssize_t ring_bare_send(struct end *end, const void *message, size_t size, enum patience patience);
ssize_t ring_bare_receive(struct end *end, void *buffer, size_t size);
ssize_t ring_expedited_send(struct end *end, const void *message, size_t size, enum patience patience);
ssize_t ring_expedited_receive(struct end *end, void *buffer, size_t size);
ssize_t ring_guarded_send(struct end *end, const void *message, size_t size, enum patience patience);
ssize_t ring_guarded_receive(struct end *end, void *buffer, size_t size);

const char *line_join(struct end *client, struct end *server, size_t size);
ssize_t line_send(struct end *end, const void *message, size_t size, enum patience patience);
ssize_t line_receive(struct end *end, void *buffer, size_t size);

#endif
