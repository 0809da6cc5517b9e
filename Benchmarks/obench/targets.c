// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What flows are meant to reach, as ratios of medians of one run, or as absolute figures.

#include "report.h"

#include <stdarg.h>

struct sink {
    void (*take)(const struct target *target, void *argument);
    void *argument;
};

static double median(struct subject subject, const char *transport, const char *figure) {
    subject.transport = transport ? transport_named(transport) : NULL;
    return row_summary(row_find(&subject), figure).median;
}

__attribute__((format(printf, 5, 6))) static void offer(struct sink *sink, double value, bool is_ceiling, double bound,
                                                        const char *format, ...) {
    struct target target = {.value = value, .bound = bound, .is_ceiling = is_ceiling};
    va_list arguments;
    // What was not measured, or divided by that.
    if (!(value > 0) || value > 1e15)
        return;
    va_start(arguments, format);
    vsnprintf(target.text, sizeof target.text, format, arguments);
    va_end(arguments);
    sink->take(&target, sink->argument);
}

// Flows against another transport, by the figure, at each place.
static void compare(struct sink *sink, struct subject subject, const char *other, const char *figure, bool is_ceiling,
                    double bound, const char *what) {
    for (enum place place = TWO; place < PLACES; place++) {
        subject.place = place;
        offer(sink, median(subject, "flow", figure) / median(subject, other, figure), is_ceiling, bound,
              "%s, place %s: flow / %s", what, place_names[place], other);
    }
}

// Writing and reading in place against copying.
static void compare_in_place(struct sink *sink, enum measure measure, const char *what) {
    struct subject subject = {
        .measure = measure, .place = settings.places[0], .bytes = 65536, .flows = 1, .variant = BLOCKING};
    offer(sink, median(subject, "flow-in-place", "packets_per_second") / median(subject, "flow", "packets_per_second"),
          false, 1.3, "65,536 B one way, %s: in place / copied", what);
}

static struct subject one_way(size_t bytes) {
    return (struct subject){.measure = RATE, .bytes = bytes, .flows = 1, .variant = BLOCKING};
}

static void compare_at(struct sink *sink, enum place place, const char *other, double bound, const char *what) {
    struct subject subject = {.measure = LATENCY, .place = place, .bytes = 64};
    offer(sink, median(subject, "flow", "p50_ns") / median(subject, other, "p50_ns"), true, bound,
          "%s, place %s: flow / %s", what, place_names[place], other);
}

static void compare_flows(struct sink *sink, enum variant variant) {
    for (enum place place = TWO; place < PLACES; place++) {
        struct subject one = {.measure = RATE, .place = place, .bytes = 64, .flows = 1, .variant = variant};
        struct subject eight = one;
        eight.flows = 8;
        offer(sink, median(eight, "flow", "packets_per_second") / median(one, "flow", "packets_per_second"), false, 0.8,
              "64 B one way, %s, place %s: 8 flows / 1 flow", variant_names[variant], place_names[place]);
        offer(sink, median(eight, "flow", "fairness"), false, 0.8, "64 B one way, %s, place %s: fairness of 8 flows",
              variant_names[variant], place_names[place]);
    }
}

static void compare_sets(struct sink *sink, const char *figure, const char *what) {
    struct subject one = {.measure = EVENTS, .place = settings.places[0], .flows = 1}, many = one;
    many.flows = 10000;
    offer(sink, median(many, "flow", figure) / median(one, "flow", figure), true, 1.5, "%s, 10,000 flows / 1 flow",
          what);
}

static void weigh(struct sink *sink, enum variant state, const char *what) {
    struct subject subject = {.measure = MEMORY, .flows = settings.open_flows, .variant = state};
    offer(sink, (median(subject, "flow", "shared_bytes") + median(subject, "flow", "slab_bytes")) / 1024, true, 24,
          "shared memory and slab of %s flow, KiB", what);
}

// All kinds of memory that a flow takes, in both processes together.
static void weigh_wholly(struct sink *sink, enum variant state, const char *what) {
    static const char *const figures[] = {"shared_bytes", "private_bytes", "page_table_bytes", "slab_bytes"};
    struct subject subject = {.measure = MEMORY, .flows = settings.open_flows, .variant = state};
    double sum = 0;
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        sum += median(subject, "flow", figures[i]);
    offer(sink, sum / 1024, true, 16, "all memory of %s flow, KiB", what);
}

void targets_compute(void (*take)(const struct target *target, void *argument), void *argument) {
    struct sink sink = {take, argument};
    compare(&sink, one_way(64), "seqpacket", "packets_per_second", false, 8, "64 B one way");
    compare(&sink, one_way(64), "ring-guarded", "packets_per_second", false, 0.8, "64 B one way");
    compare(&sink, one_way(1500), "seqpacket", "packets_per_second", false, 6, "1,500 B one way");
    compare(&sink, one_way(65536), "seqpacket", "packets_per_second", false, 4, "65,536 B one way");
    compare_in_place(&sink, PAYLOAD, "filled and summed");
    compare_in_place(&sink, RATE, "untouched");
    compare_at(&sink, TWO, "line", 4, "64 B round trip");
    compare_at(&sink, ONE, "seqpacket", 1, "64 B round trip");
    compare(&sink, (struct subject){.measure = WAKEUP, .bytes = 64}, "seqpacket", "p50_ns", true, 1.05,
            "64 B round trip, both asleep");
    compare_flows(&sink, BLOCKING);
    compare_flows(&sink, FEVENT);
    compare_sets(&sink, "event_p50_ns", "fevent and flow_read");
    compare_sets(&sink, "round_trip_p50_ns", "round trip by fevent");
    weigh(&sink, IDLE, "an idle");
    weigh_wholly(&sink, ACTIVE, "an active");
    weigh(&sink, SETTLED, "a settled");
    for (enum place place = TWO; place < PLACES; place++) {
        struct subject alloc = {.measure = ALLOC, .place = place, .clients = 1};
        offer(&sink, median(alloc, NULL, "flows_per_second"), false, 10000, "flows a second, 1 client, place %s",
              place_names[place]);
        offer(&sink, median(alloc, NULL, "p99_ns") / 1e6, true, 1, "allocation p99, ms, 1 client, place %s",
              place_names[place]);
    }
}

bool target_is_reached(const struct target *target) {
    return target->is_ceiling ? target->value <= target->bound : target->value >= target->bound;
}

struct printing {
    FILE *out;
    bool has_heading;
};

static void print_target(const struct target *target, void *argument) {
    struct printing *printing = argument;
    if (!printing->has_heading)
        fprintf(printing->out, "\nTargets\n");
    printing->has_heading = true;
    fprintf(printing->out, "%-8s %-62s %10.2f  (at %s %g)\n", target_is_reached(target) ? "reached" : "missed",
            target->text, target->value, target->is_ceiling ? "most" : "least", target->bound);
}

void targets_print(FILE *out) {
    struct printing printing = {out, false};
    targets_compute(print_target, &printing);
}
