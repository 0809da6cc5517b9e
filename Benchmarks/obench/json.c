// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "report.h"

#include <ouroboros/version.h>

static void write_figures(FILE *out, const struct row *row) {
    for (int i = 0; i < row->figure_count; i++) {
        struct summary summary = row_summary(row, row->figures[i].name);
        fprintf(out, ", \"%s\": {\"median\": %.9g, \"min\": %.9g, \"max\": %.9g, \"rounds\": %d}", row->figures[i].name,
                summary.median, summary.least, summary.greatest, summary.rounds);
    }
}

static void write_row(FILE *out, const struct row *row) {
    const struct subject *subject = &row->subject;
    fprintf(out, "    {\"measure\": \"%s\"", measure_names[subject->measure]);
    if (subject->transport)
        fprintf(out, ", \"transport\": \"%s\"", subject->transport->name);
    if (subject->place)
        fprintf(out, ", \"place\": \"%s\"", place_names[subject->place]);
    if (subject->bytes)
        fprintf(out, ", \"bytes\": %zu", subject->bytes);
    if (subject->flows)
        fprintf(out, ", \"flows\": %zu", subject->flows);
    if (subject->clients)
        fprintf(out, ", \"clients\": %d", subject->clients);
    if (subject->variant)
        fprintf(out, ", \"%s\": \"%s\"", subject->measure == MEMORY ? "state" : "mode",
                variant_names[subject->variant]);
    if (row->impossible)
        fprintf(out, ", \"impossible\": \"%s\"", row->impossible);
    write_figures(out, row);
    fprintf(out, "}");
}

struct writing {
    FILE *out;
    const char *separator;
};

static void write_target(const struct target *target, void *argument) {
    struct writing *writing = argument;
    fprintf(writing->out, "%s\n    {\"figure\": \"%s\", \"value\": %.4g, \"at_%s\": %g, \"reached\": %s}",
            writing->separator, target->text, target->value, target->is_ceiling ? "most" : "least", target->bound,
            target_is_reached(target) ? "true" : "false");
    writing->separator = ",";
}

void json_write(FILE *out) {
    struct writing targets = {out, ""};
    fprintf(out, "{\n  \"version\": \"%s\",\n  \"host\": ", OUROBOROS_VERSION_STRING);
    host_write_json(out);
    fprintf(out, ",\n  \"rounds\": %d,\n  \"seconds\": %g,\n  \"buffer_bytes\": %zu,\n  \"results\": [",
            settings.rounds, settings.seconds, settings.buffer_bytes);
    for (int i = 0; i < row_count(); i++) {
        fprintf(out, "%s\n", i == 0 ? "" : ",");
        write_row(out, row_at(i));
    }
    fprintf(out, "\n  ],\n  \"targets\": [");
    targets_compute(write_target, &targets);
    fprintf(out, "\n  ]\n}\n");
}
