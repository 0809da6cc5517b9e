// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// obench measures flows and what could be used in their place, interleaved in one run; see obench(1).

#include "conductor.h"
#include "measures.h"
#include "output.h"
#include "progress.h"
#include "report.h"

#include <errno.h>
#include <string.h>

static void (*const functions[MEASURES])(void) = {
    [LATENCY] = measure_latency, [WAKEUP] = measure_wakeup, [RATE] = measure_rate,
    [PAYLOAD] = measure_payload, [VERIFY] = measure_verify,   [LIMITS] = measure_limits, [ALLOC] = measure_alloc,
    [ACCEPT_STORM] = measure_accept_storm, [EVENTS] = measure_events, [MEMORY] = measure_memory};

// Before anything is measured: it would be a pity if it could not be written.
static FILE *open_file(const char *path) {
    FILE *file = !path ? NULL : strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (path && !file)
        conductor_fail("%s: %s", path, strerror(errno));
    return file;
}

static void write_file(FILE *file, const char *path, void (*write)(FILE *)) {
    if (!file)
        return;
    write(file);
    if (fclose(file) != 0)
        conductor_fail("%s: %s", path, strerror(errno));
}

// A table that cannot be shown: the next ones cannot either.
static void show(int measure) {
    table_print(stdout, (enum measure)measure);
    const char *failure = output_flush();
    if (failure)
        conductor_fail("standard output: %s", failure);
}

int main(int argc, char **argv) {
    find_processors();
    read_options(argc, argv);
    FILE *json = open_file(settings.json), *plot = open_file(settings.plot);
    bool has_tables = json != stdout && plot != stdout;
    conductor_begin();
    if (has_tables)
        host_print(stdout);
    for (int measure = 0; measure < MEASURES; measure++) {
        if (!settings.measures[measure])
            continue;
        functions[measure]();
        progress_clear();
        if (has_tables)
            show(measure);
    }
    if (has_tables)
        targets_print(stdout);
    write_file(json, settings.json, json_write);
    write_file(plot, settings.plot, plot_write);
    if (json == stdout || plot == stdout)
        return conductor_end();
    output_end(conductor_end());
}
