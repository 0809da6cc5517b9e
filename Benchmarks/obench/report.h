// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The results for people, for programs, as a picture, and against the targets.

#ifndef OBENCH_REPORT_H
#define OBENCH_REPORT_H

#include "results.h"

#include <stdio.h>

// What the figures were measured on, in one line or as members of a JSON object.
void host_print(FILE *out);
void host_write_json(FILE *out);

// All rows of a measure.
void table_print(FILE *out, enum measure measure);

void json_write(FILE *out);

void plot_write(FILE *out);

// A figure that flows are meant to reach, and whether they did in this run.
struct target {
    char text[96];
    double value, bound;
    bool is_ceiling; // at most the bound, not at least
};

// What can be computed from the results. `take` is called for each target.
void targets_compute(void (*take)(const struct target *target, void *argument), void *argument);
bool target_is_reached(const struct target *target);
void targets_print(FILE *out);

#endif
