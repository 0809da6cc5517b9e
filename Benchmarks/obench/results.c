// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "results.h"
#include "conductor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const variant_names[VARIANTS] = {
    [BLOCKING] = "blocking", [FEVENT] = "events",  [THREADS] = "threads", [IDLE] = "idle",
    [ACTIVE] = "active",     [FILLED] = "filled", [SETTLED] = "settled"};

static struct row **rows;
static int count;

static bool is_same(const struct subject *a, const struct subject *b) {
    return a->measure == b->measure && a->transport == b->transport && a->place == b->place && a->bytes == b->bytes &&
           a->flows == b->flows && a->variant == b->variant && a->clients == b->clients;
}

static struct row *find(const struct subject *subject) {
    for (int i = 0; i < count; i++)
        if (is_same(&rows[i]->subject, subject))
            return rows[i];
    return NULL;
}

const struct row *row_find(const struct subject *subject) { return find(subject); }

struct row *row_about(const struct subject *subject) {
    struct row *row = find(subject);
    if (row)
        return row;
    rows = realloc(rows, sizeof *rows * (size_t)(count + 1));
    row = calloc(1, sizeof *row);
    if (!rows || !row)
        conductor_fail("no memory for results");
    row->subject = *subject;
    rows[count++] = row;
    return row;
}

int row_count(void) { return count; }

const struct row *row_at(int index) { return rows[index]; }

static struct figure *figure_named(const struct row *row, const char *name) {
    for (int i = 0; i < row->figure_count; i++)
        if (strcmp(row->figures[i].name, name) == 0)
            return (struct figure *)&row->figures[i];
    return NULL;
}

void row_add(struct row *row, const char *name, double value) {
    struct figure *figure = figure_named(row, name);
    if (!figure) {
        if (row->figure_count == MAX_FIGURES)
            conductor_fail("too many figures in a row");
        figure = &row->figures[row->figure_count++];
        figure->name = name;
    }
    if (figure->count < MAX_ROUNDS)
        figure->values[figure->count++] = value;
}

void row_add_times(struct row *row, const struct histogram *times) {
    if (times->count == 0)
        return;
    row_add(row, "min_ns", (double)times->least);
    row_add(row, "p50_ns", histogram_percentile(times, 0.5));
    row_add(row, "p99_ns", histogram_percentile(times, 0.99));
    row_add(row, "p99.9_ns", histogram_percentile(times, 0.999));
    row_add(row, "max_ns", (double)times->greatest);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct summary row_summary(const struct row *row, const char *name) {
    const struct figure *figure = row ? figure_named(row, name) : NULL;
    double sorted[MAX_ROUNDS];
    if (!figure)
        return (struct summary){0};
    int n = figure->count;
    memcpy(sorted, figure->values, sizeof *sorted * (size_t)n);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    return (struct summary){n, (sorted[(n - 1) / 2] + sorted[n / 2]) / 2, sorted[0], sorted[n - 1]};
}

void subject_describe(const struct subject *subject, char *text, size_t size) {
    FILE *out = fmemopen(text, size, "w");
    if (!out)
        return;
    fputs(measure_names[subject->measure], out);
    if (subject->transport)
        fprintf(out, ", %s", subject->transport->name);
    if (subject->bytes)
        fprintf(out, ", %zu bytes", subject->bytes);
    if (subject->flows)
        fprintf(out, ", %zu flow%s", subject->flows, subject->flows == 1 ? "" : "s");
    if (subject->variant)
        fprintf(out, ", %s", variant_names[subject->variant]);
    if (subject->clients)
        fprintf(out, ", %d client%s", subject->clients, subject->clients == 1 ? "" : "s");
    if (subject->place)
        fprintf(out, ", %s", place_names[subject->place]);
    fclose(out);
}
