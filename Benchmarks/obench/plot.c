// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// For each place two panels with logarithmic axes: packets a second by size, and round trips by transport.

#include "report.h"

#include <math.h>

enum { WIDTH = 1120, PANEL_HEIGHT = 430, TOP = 70, BOTTOM = 90, LEFT = 80, RATES_WIDTH = 420, LEGEND = 20,
       TRIPS_LEFT = 740, TRIPS_WIDTH = 340 };

// Of transports, in their order. Limits are grey.
static const char *const colours[] = {"#d62728", "#1f77b4", "#17a2b8", "#2ca02c", "#9467bd", "#ff7f0e",
                                      "#bbbbbb", "#999999", "#666666", "#333333"};

struct axis {
    double least, greatest; // logarithms
    double from, to;        // where they are
};

static double position(const struct axis *axis, double value) {
    return axis->from + (log10(value) - axis->least) / (axis->greatest - axis->least) * (axis->to - axis->from);
}

static const char *colour(const struct transport *transport) {
    return colours[(size_t)(transport - transports) % (sizeof colours / sizeof *colours)];
}

static bool is_limit(const struct transport *transport) { return !transport->sleeps; }

// Whole decades around what the axis has to show.
static void stretch(struct axis *axis, double value) {
    if (!(value > 0))
        return;
    bool is_new = axis->greatest <= axis->least;
    if (is_new || floor(log10(value)) < axis->least)
        axis->least = floor(log10(value));
    if (is_new || ceil(log10(value)) > axis->greatest)
        axis->greatest = fmax(ceil(log10(value)), axis->least + 1);
}

static void write_text(FILE *out, double x, double y, const char *anchor, const char *colour, const char *text) {
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", x, y, anchor, colour, text);
}

static void write_line(FILE *out, double x1, double y1, double x2, double y2, const char *colour, const char *style) {
    fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" %s/>\n", x1, y1, x2, y2, colour,
            style);
}

// Lines across the panel, a label at each decade.
static void write_decades(FILE *out, const struct axis *axis, double left, double width, bool is_time) {
    static const char *const counts[] = {"1", "10", "100", "1 k", "10 k", "100 k", "1 M", "10 M", "100 M", "1 G"};
    static const char *const times[] = {"1 ns",   "10 ns", "100 ns", "1 \xc2\xb5s", "10 \xc2\xb5s", "100 \xc2\xb5s",
                                        "1 ms",   "10 ms", "100 ms", "1 s"};
    for (int decade = (int)axis->least; decade <= (int)axis->greatest; decade++) {
        double y = position(axis, pow(10, decade));
        write_line(out, left, y, left + width, y, "#dddddd", "");
        if (decade >= 0 && decade < 10)
            write_text(out, left - 8, y + 4, "end", "#333333", (is_time ? times : counts)[decade]);
    }
}

static double median(struct subject subject, const struct transport *transport, const char *figure) {
    subject.transport = transport;
    return row_summary(row_find(&subject), figure).median;
}

static void write_title(FILE *out, double x, double top, const char *what, enum place place) {
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"15\" font-weight=\"bold\">%s, place %s</text>\n", x, top - 24,
            what, place_names[place]);
}

static void write_rate_line(FILE *out, const struct axis *x, const struct axis *y, struct subject subject,
                            const struct transport *transport) {
    const char *dashes = is_limit(transport) ? "stroke-dasharray=\"5 3\" " : "";
    fprintf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" %spoints=\"", colour(transport), dashes);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < settings.sizes.count; i++) {
            subject.bytes = settings.sizes.values[i];
            double rate = median(subject, transport, "packets_per_second");
            if (!(rate > 0))
                continue;
            double at = position(x, (double)subject.bytes), height = position(y, rate);
            if (pass == 0)
                fprintf(out, "%.1f,%.1f ", at, height);
            else
                fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", at, height, colour(transport));
        }
        if (pass == 0)
            fprintf(out, "\"/>\n");
    }
}

static void write_rates(FILE *out, enum place place, double top) {
    struct subject subject = {
        .measure = RATE, .place = place, .flows = settings.flows.values[0], .variant = BLOCKING};
    struct axis x = {0, 0, LEFT, LEFT + RATES_WIDTH}, y = {0, 0, top + PANEL_HEIGHT - TOP - BOTTOM, top};
    for (int i = 0; i < settings.sizes.count; i++) {
        subject.bytes = settings.sizes.values[i];
        stretch(&x, (double)subject.bytes);
        for (int t = 0; t < settings.transport_count; t++)
            stretch(&y, median(subject, settings.transports[t], "packets_per_second"));
    }
    if (y.greatest <= y.least)
        return;
    write_title(out, LEFT, top, "One way, packets a second by bytes", place);
    write_decades(out, &y, LEFT, RATES_WIDTH, false);
    for (int i = 0; i < settings.sizes.count; i++) {
        char bytes[16];
        double at = position(&x, (double)settings.sizes.values[i]);
        snprintf(bytes, sizeof bytes, "%zu", settings.sizes.values[i]);
        write_line(out, at, y.from, at, y.to, "#eeeeee", "");
        write_text(out, at, y.from + 18, "middle", "#333333", bytes);
    }
    for (int t = 0, entry = 0; t < settings.transport_count; t++) {
        const struct transport *transport = settings.transports[t];
        double legend = top + 10 + 20 * entry;
        if (transport->trips_for_each_look)
            continue;
        write_rate_line(out, &x, &y, subject, transport);
        write_line(out, x.to + LEGEND, legend - 4, x.to + LEGEND + 22, legend - 4, colour(transport),
                   is_limit(transport) ? "stroke-width=\"2\" stroke-dasharray=\"5 3\" " : "stroke-width=\"2\" ");
        write_text(out, x.to + LEGEND + 28, legend, "start", "#333333", transport->name);
        entry++;
    }
}

// A bar up to the median, and a line up to the 99th percentile.
static void write_trips(FILE *out, enum place place, double top) {
    struct subject subject = {.measure = LATENCY, .place = place, .bytes = settings.sizes.values[0]};
    struct axis y = {0, 0, top + PANEL_HEIGHT - TOP - BOTTOM, top};
    double step = (double)TRIPS_WIDTH / settings.transport_count;
    for (int t = 0; t < settings.transport_count; t++) {
        stretch(&y, median(subject, settings.transports[t], "p50_ns"));
        stretch(&y, median(subject, settings.transports[t], "p99_ns"));
    }
    if (y.greatest <= y.least)
        return;
    write_title(out, TRIPS_LEFT, top, "Round trip, median and p99", place);
    write_decades(out, &y, TRIPS_LEFT, TRIPS_WIDTH, true);
    for (int t = 0; t < settings.transport_count; t++) {
        const struct transport *transport = settings.transports[t];
        double p50 = median(subject, transport, "p50_ns"), p99 = median(subject, transport, "p99_ns");
        double left = TRIPS_LEFT + step * (t + 0.15), middle = TRIPS_LEFT + step * (t + 0.5);
        if (!(p50 > 0))
            continue;
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", left,
                position(&y, p50), step * 0.7, y.from - position(&y, p50), colour(transport));
        write_line(out, middle, position(&y, p50), middle, position(&y, p99), "#000000", "");
        write_line(out, middle - 4, position(&y, p99), middle + 4, position(&y, p99), "#000000", "");
        fprintf(out, "<text transform=\"translate(%.1f %.1f) rotate(-35)\" text-anchor=\"end\">%s</text>\n", middle + 4,
                y.from + 14, transport->name);
    }
}

void plot_write(FILE *out) {
    int height = PANEL_HEIGHT * settings.place_count;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
            WIDTH, height, WIDTH, height, WIDTH, height);
    for (int i = 0; i < settings.place_count; i++) {
        write_rates(out, settings.places[i], PANEL_HEIGHT * i + TOP);
        write_trips(out, settings.places[i], PANEL_HEIGHT * i + TOP);
    }
    fprintf(out, "</svg>\n");
}
