// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What was measured: rows, each with figures, each with a value for every round.

#ifndef OBENCH_RESULTS_H
#define OBENCH_RESULTS_H

#include "histogram.h"
#include "options.h"

enum { MAX_FIGURES = 12 };

// How several channels are written and read, or in what state flows are whose memory is measured.
enum variant { NO_VARIANT, BLOCKING, FEVENT, THREADS, IDLE, ACTIVE, FILLED, SETTLED, VARIANTS };
extern const char *const variant_names[VARIANTS];

// What a row is about. A member that says nothing about a measure is 0.
struct subject {
    enum measure measure;
    const struct transport *transport;
    enum place place;
    size_t bytes, flows;
    int clients;
    enum variant variant;
};

struct figure {
    const char *name;
    int count;
    double values[MAX_ROUNDS];
};

struct row {
    struct subject subject;
    const char *impossible; // why there are no figures
    int figure_count;
    struct figure figures[MAX_FIGURES];
};

// Over the rounds.
struct summary {
    int rounds;
    double median, least, greatest;
};

// The row about a subject; a new one if there is none yet.
struct row *row_about(const struct subject *subject);
// The same, but NULL.
const struct row *row_find(const struct subject *subject);

int row_count(void);
const struct row *row_at(int index);

// Names of figures end with their unit. They must be literals.
void row_add(struct row *row, const char *name, double value);

// What the times were: five figures, if there are any times.
void row_add_times(struct row *row, const struct histogram *times);

// No rounds: there is no such figure.
struct summary row_summary(const struct row *row, const char *name);

// Text of a subject for people.
void subject_describe(const struct subject *subject, char *text, size_t size);

#endif
