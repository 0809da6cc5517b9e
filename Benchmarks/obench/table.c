// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A table for each measure: a line for each row, medians, and the range over the rounds where it matters most.

#include "report.h"

// How a figure is written: with a prefix for its magnitude, as a time, as it is, or as a number of bytes.
enum style { MAGNITUDE, TIME, PLAIN, WHOLE };

struct column {
    const char *figure, *heading;
    enum style style;
    bool has_range;
};

enum { MAX_COLUMNS = 8 };

// Columns that several tables have.
#define ROUND_TRIPS                                                                                                    \
    {"p50_ns", "p50", TIME, true}, {"min_ns", "min", TIME, false}, {"p99_ns", "p99", TIME, false},                     \
        {"p99.9_ns", "p99.9", TIME, false}, {"max_ns", "max", TIME, false}
#define THROUGHPUT                                                                                                     \
    {"packets_per_second", "packets/s", MAGNITUDE, true}, {"gigabits_per_second", "Gbit/s", PLAIN, false},             \
        {"cpu_seconds_per_million_packets", "CPU s/M", PLAIN, false}
#define FAULTS                                                                                                         \
    {"lost_packets", "lost", WHOLE, false}, {"misordered_packets", "misordered", WHOLE, false},                        \
        {"damaged_packets", "damaged", WHOLE, false}

static const struct {
    const char *title;
    // The figure by which flows are compared with the row, and whether more of it is better.
    const char *compared;
    bool more_is_better;
    struct column columns[MAX_COLUMNS];
} layouts[MEASURES] = {
    [LATENCY] = {"Round trip while both sides are active", "p50_ns", false, {ROUND_TRIPS}},
    [WAKEUP] = {"Round trip while both sides sleep, a millisecond before each", "p50_ns", false, {ROUND_TRIPS}},
    [RATE] = {"One way", "packets_per_second", true,
              {THROUGHPUT, {"fairness", "fairness", PLAIN, false}, FAULTS}},
    [PAYLOAD] = {"One way, the writer fills each message and the reader sums it", "packets_per_second", true,
                 {THROUGHPUT, FAULTS}},
    [VERIFY] = {"Every byte verified", NULL, false,
                {{"sent_packets", "packets", WHOLE, false}, FAULTS}},
    [LIMITS] = {"Limits of this machine", NULL, false,
                {{"memcpy_gigabytes_per_second", "memcpy GB/s", PLAIN, true}, {"clock_ns", "clock", TIME, true}}},
    [ALLOC] = {"Allocation and deallocation of a flow, ready server", NULL, false,
               {{"flows_per_second", "flows/s", MAGNITUDE, true}, {"min_ns", "min", TIME, false},
                {"p50_ns", "p50", TIME, false}, {"p99_ns", "p99", TIME, false}, {"p99.9_ns", "p99.9", TIME, false},
                {"max_ns", "max", TIME, false}}},
    [ACCEPT_STORM] = {"Many flows wanted at once", NULL, false,
                      {{"flows_per_second", "flows/s", MAGNITUDE, true}, {"accepted_flows", "accepted", WHOLE, false},
                       {"refused_flows", "refused", WHOLE, false}}},
    [EVENTS] = {"One active flow of many in a set", NULL, false,
                {{"event_p50_ns", "event p50", TIME, true}, {"event_p99_ns", "p99", TIME, false},
                 {"round_trip_p50_ns", "round trip p50", TIME, true}, {"round_trip_p99_ns", "p99", TIME, false}}},
    [MEMORY] = {"Memory of one flow, both sides together", NULL, false,
                {{"shared_bytes", "shared", WHOLE, false}, {"private_bytes", "private", WHOLE, false},
                 {"page_table_bytes", "page tables", WHOLE, false}, {"slab_bytes", "slab", WHOLE, false},
                 {"system_shared_bytes", "system", WHOLE, false}}},
};

static void format(char *text, size_t size, enum style style, double value) {
    if (style == TIME) {
        if (value < 1e4)
            snprintf(text, size, "%.0f ns", value);
        else if (value < 1e7)
            snprintf(text, size, "%.1f us", value / 1e3);
        else
            snprintf(text, size, "%.1f ms", value / 1e6);
    } else if (style == MAGNITUDE && value >= 1e6) {
        snprintf(text, size, "%.2f M", value / 1e6);
    } else if (style == MAGNITUDE && value >= 1e4) {
        snprintf(text, size, "%.1f k", value / 1e3);
    } else if (style == PLAIN) {
        snprintf(text, size, "%.3g", value);
    } else {
        snprintf(text, size, "%.0f", value);
    }
}

// Losses and errors are never averaged away: their worst round counts.
static double representative(const struct column *column, const struct summary *summary) {
    return column->style == WHOLE ? summary->greatest : summary->median;
}

static void print_cell(FILE *out, const struct column *column, const struct row *row) {
    struct summary summary = row_summary(row, column->figure);
    char median[24] = "", range[56] = "", least[24], greatest[24];
    if (summary.rounds > 0) {
        format(median, sizeof median, column->style, representative(column, &summary));
        format(least, sizeof least, column->style, summary.least);
        format(greatest, sizeof greatest, column->style, summary.greatest);
        snprintf(range, sizeof range, "%s..%s", least, greatest);
    }
    fprintf(out, column->has_range ? " %14s %-22s" : " %11s", median, column->has_range ? range : NULL);
}

// Flows against the row, by their medians: above 1 flows are better.
static void print_comparison(FILE *out, enum measure measure, const struct row *row) {
    struct subject subject = row->subject;
    subject.transport = transport_named("flow");
    double flow = row_summary(row_find(&subject), layouts[measure].compared).median;
    double own = row_summary(row, layouts[measure].compared).median;
    if (flow > 0 && own > 0)
        fprintf(out, " %8.2f", layouts[measure].more_is_better ? flow / own : own / flow);
    else
        fprintf(out, " %8s", "");
}

static void print_keys(FILE *out, const struct row *row) {
    const struct subject *subject = &row->subject;
    char bytes[32] = "", flows[32] = "", clients[32] = "";
    if (subject->bytes)
        snprintf(bytes, sizeof bytes, "%zu B", subject->bytes);
    if (subject->flows)
        snprintf(flows, sizeof flows, "%zu flow%s", subject->flows, subject->flows == 1 ? "" : "s");
    if (subject->clients)
        snprintf(clients, sizeof clients, "%d client%s", subject->clients, subject->clients == 1 ? "" : "s");
    fprintf(out, "%-5s %9s %11s %-9s %-14s", subject->place ? place_names[subject->place] : "", bytes,
            flows[0] ? flows : clients, subject->variant ? variant_names[subject->variant] : "",
            subject->transport ? subject->transport->name : "");
}

static void print_heading(FILE *out, enum measure measure) {
    fprintf(out, "\n%s\n%-5s %9s %11s %-9s %-14s", layouts[measure].title, "place", "size", "", "", "transport");
    if (layouts[measure].compared)
        fprintf(out, " %8s", "flow is");
    for (const struct column *column = layouts[measure].columns; column->figure; column++)
        fprintf(out, column->has_range ? " %14s %-22s" : " %11s", column->heading,
                column->has_range ? "min..max of rounds" : NULL);
    fprintf(out, "\n");
}

void table_print(FILE *out, enum measure measure) {
    const struct row *last = NULL;
    print_heading(out, measure);
    for (int i = 0; i < row_count(); i++) {
        const struct row *row = row_at(i);
        if (row->subject.measure != measure)
            continue;
        // What is compared stands together.
        if (last && layouts[measure].compared &&
            (last->subject.bytes != row->subject.bytes || last->subject.place != row->subject.place ||
             last->subject.variant != row->subject.variant || last->subject.flows != row->subject.flows))
            fprintf(out, "\n");
        last = row;
        print_keys(out, row);
        if (row->impossible) {
            fprintf(out, " (%s)\n", row->impossible);
            continue;
        }
        if (layouts[measure].compared)
            print_comparison(out, measure, row);
        for (const struct column *column = layouts[measure].columns; column->figure; column++)
            print_cell(out, column, row);
        fprintf(out, "\n");
    }
    fflush(out);
}
