// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A trial is a server process and one or more client processes that live for one measurement. The process that forks
// them, the conductor, has no flow and no thread: it prepares, gives the signs, sleeps meanwhile, and collects.

#ifndef OBENCH_TRIAL_H
#define OBENCH_TRIAL_H

#include "placement.h"

#include <stdatomic.h>

enum { MAX_CLIENTS = 8 };

// Signs of the conductor. A word that nobody else writes: to look at it costs next to nothing.
enum phase { OPENING, WARMING, MEASURING, STOPPING };
extern _Atomic uint32_t *phase_word;

static inline enum phase phase_now(void) {
    return (enum phase)atomic_load_explicit(phase_word, memory_order_relaxed);
}

struct trial {
    const char *what;
    enum place place;
    void (*server)(void *subject);
    void (*client)(void *subject);
    int clients;
    // How long to measure, after a quarter of it to warm up; 0: the processes know when to end.
    double seconds;
    // Memory that all of them share: what they need to know, and their figures.
    void *subject;
    // Called by the conductor at the beginning and at the end of measuring; `processor_seconds` is what all processes
    // have used since their beginning. NULL: no need.
    void (*look)(void *subject, enum phase phase, double processor_seconds);
};

// False: a process failed, and has said why. An interrupt does not return.
bool trial_run(const struct trial *trial);

// Zeroed memory that is shared with what is forked later.
void *shared_memory(size_t bytes);
void shared_memory_free(void *memory, size_t bytes);

// For the processes of a trial. The server says when it listens (then the clients are started) and when it is ready,
// a client when it is ready.
void say_ready(void);
// Returns when all are ready.
void await_start(void);
// Which of the clients this one is.
int client_number(void);
// Ends this process, and so the trial.
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);
// The same for the result of a system or library call, if it is negative.
void expect(const char *call, long result);

// A buffer for messages, with room for one that is too long.
void *message_buffer(size_t size);

// Several channels of one transport between the two processes of a trial.
struct connection {
    const struct transport *transport;
    size_t size;
    int count;
    struct end ends[2][MAX_CHANNELS];
};

// Before the trial: NULL, or why this cannot be.
const char *connection_join(struct connection *connection);
// In a process of the trial, with all that it has to say while it opens. Returns its ends.
struct end *connection_open(struct connection *connection, enum side side);
void connection_close(struct connection *connection, struct end *ends);
// After the trial.
void connection_forget(struct connection *connection);

#endif
