// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the command line says.

#ifndef OBENCH_OPTIONS_H
#define OBENCH_OPTIONS_H

#include "placement.h"
#include "transport.h"

enum { MAX_ROUNDS = 101, MAX_LIST = 16, MAX_OPEN_FLOWS = 60000 };

enum measure { LATENCY, WAKEUP, RATE, PAYLOAD, VERIFY, LIMITS, ALLOC, ACCEPT_STORM, EVENTS, MEMORY, MEASURES };

extern const char *const measure_names[MEASURES];

// Numbers separated by commas.
struct list {
    int count;
    size_t values[MAX_LIST];
};

struct settings {
    bool measures[MEASURES];
    const struct transport *transports[MAX_LIST];
    int transport_count;
    enum place places[PLACES];
    int place_count;
    struct list sizes, flows, sets;
    size_t open_flows;
    int rounds;
    double seconds;
    size_t buffer_bytes;
    bool grid;
    const char *json, *plot;
};

extern struct settings settings;

// Fills `settings`, or says what is wrong and exits with 1.
void read_options(int argc, char **argv);

// Answers "--complete", with the words behind it.
void complete(int argc, char **argv);

// For completion: the name of an option without its dashes, or NULL behind the last; what it does; and whether this
// word is an option that a value follows.
const char *option_at(int index);
const char *option_text(int index);
bool option_has_value(const char *word);

#endif
