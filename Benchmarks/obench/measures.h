// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The measures: each runs its trials, interleaved, and adds rows to the results.

#ifndef OBENCH_MEASURES_H
#define OBENCH_MEASURES_H

#include "results.h"

void measure_latency(void);
void measure_wakeup(void);
void measure_rate(void);
void measure_verify(void);
void measure_limits(void);
void measure_alloc(void);
void measure_accept_storm(void);
void measure_events(void);
void measure_memory(void);

typedef void run_function(const struct subject *subject, const char *what, struct row *row);

// Runs `run` for every round and, within it, for each transport that applies (NULL: all): A B C, A B C. `subject` lacks
// only the transport; `what` says in words what is measured.
void interleave(struct subject subject, bool (*applies)(const struct transport *, const struct subject *),
                run_function *run);

// The same for one that needs no transport.
void repeat(const struct subject *subject, run_function *run);

#endif
