// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "options.h"
#include "message.h"
#include "output.h"

#include "CTools.h"

#include <ouroboros/version.h>

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const measure_names[MEASURES] = {
    [LATENCY] = "latency", [WAKEUP] = "wakeup", [RATE] = "rate",
    [PAYLOAD] = "payload", [VERIFY] = "verify", [LIMITS] = "limits", [ALLOC] = "alloc",
    [ACCEPT_STORM] = "accept-storm", [EVENTS] = "events", [MEMORY] = "memory"};

struct settings settings = {
    .sizes = {5, {64, 1500, 16384, 65536, 1000000}},
    .flows = {4, {1, 2, 4, 8}},
    .sets = {4, {1, 100, 1000, 10000}},
    .open_flows = 1000,
    .rounds = 3,
    .seconds = 0.08,
};

enum option_number {
    TRANSPORTS = 256, SIZES, FLOWS, SETS, OPEN_FLOWS, PLACE, ROUNDS, SECONDS, QUICK, GRID, BUFFER, JSON, PLOT, VERSION,
    HELP = 'h',
};

static const struct option_help {
    struct option option;
    const char *argument, *text;
} options[] = {
    {{"transports", required_argument, NULL, TRANSPORTS}, "LIST", "flow, flow-in-place, flow-swift, seqpacket, stream, pipe, udp, "
                                                                   "tcp, ring-bare, ring-expedited, ring-guarded, line; "
                                                                   "all without"},
    {{"sizes", required_argument, NULL, SIZES}, "LIST", "bytes of a message; 64,1500,16384,65536,1000000 without"},
    {{"flows", required_argument, NULL, FLOWS}, "LIST", "flows at once in rate; 1,2,4,8 without"},
    {{"sets", required_argument, NULL, SETS}, "LIST", "flows in a set in events; 1,100,1000,10000 without"},
    {{"open", required_argument, NULL, OPEN_FLOWS}, "N", "flows in memory; 1000 without"},
    {{"place", required_argument, NULL, PLACE}, "LIST", "two (processors), one, free; all without"},
    {{"rounds", required_argument, NULL, ROUNDS}, "N", "rounds of each measurement; 3 without"},
    {{"seconds", required_argument, NULL, SECONDS}, "S", "length of a measurement; 0.08 without"},
    {{"quick", no_argument, NULL, QUICK}, "", "one round, 0.02 seconds, 1,000 flows in the greatest set"},
    {{"grid", no_argument, NULL, GRID}, "", "rate of every size with every number of flows at every place"},
    {{"buffer", required_argument, NULL, BUFFER}, "BYTES", "buffers of sockets and pipes; the system's without"},
    {{"json", required_argument, NULL, JSON}, "FILE", "write JSON; -: to standard output, and no table"},
    {{"plot", required_argument, NULL, PLOT}, "FILE", "write a plot in SVG"},
    {{"help", no_argument, NULL, HELP}, "", "or -h: print this"},
    {{"version", no_argument, NULL, VERSION}, "", "print the version and the commit"},
};

enum { OPTIONS = sizeof options / sizeof *options };

const char *option_at(int index) { return index < OPTIONS ? options[index].option.name : NULL; }
const char *option_text(int index) { return options[index].text; }

bool option_has_value(const char *word) {
    for (int i = 0; i < OPTIONS; i++)
        if (options[i].option.has_arg && strncmp(word, "--", 2) == 0 && strcmp(word + 2, options[i].option.name) == 0)
            return true;
    return false;
}

static void print_usage(FILE *out) {
    fprintf(out, "Usage: obench [OPTION]... [MEASURE]...\nMeasures: all (without any)");
    for (int i = 0; i < MEASURES; i++)
        fprintf(out, ", %s", measure_names[i]);
    fprintf(out, "\n");
    for (int i = 0; i < OPTIONS; i++) {
        char name[32];
        snprintf(name, sizeof name, "--%s %s", options[i].option.name, options[i].argument);
        fprintf(out, "  %-18s %s\n", name, options[i].text);
    }
}

__attribute__((noreturn, format(printf, 1, 2))) static void reject(const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "obench: ");
    va_start(arguments, format);
    output_error(format, arguments);
    va_end(arguments);
    fprintf(stderr, ". Try \"obench --help\".\n");
    exit(1);
}

static double number(const char *option, const char *text, const char **end) {
    char *behind;
    errno = 0;
    double value = strtod(text, &behind);
    if (behind == text || errno)
        reject("--%s: '%s' is not a number", option, text);
    *end = behind;
    return value;
}

static double single_number(const char *option, const char *text, double least, double greatest) {
    const char *end;
    double value = number(option, text, &end);
    if (*end || !(value >= least && value <= greatest))
        reject("--%s: '%s' is not a number from %g to %.9g", option, text, least, greatest);
    return value;
}

static size_t whole_number(const char *option, const char *text, double least, double greatest) {
    double value = single_number(option, text, least, greatest);
    if (value != (double)(size_t)value)
        reject("--%s: '%s' is no whole number", option, text);
    return (size_t)value;
}

// Calls `take` for each of the words between commas.
static void each_word(const char *option, const char *text, void (*take)(const char *option, char *word)) {
    char copy[256], *rest = copy, *word;
    if (strlen(text) >= sizeof copy)
        reject("--%s: the list is too long", option);
    strcpy(copy, text);
    while ((word = strsep(&rest, ",")))
        take(option, word);
}

static struct list *list;
static size_t least, greatest;

static void take_number(const char *option, char *word) {
    if (list->count == MAX_LIST)
        reject("--%s: more than %d numbers", option, MAX_LIST);
    list->values[list->count++] = whole_number(option, word, (double)least, (double)greatest);
}

static void read_list(struct list *into, const char *option, const char *text, size_t from, size_t to) {
    list = into;
    least = from;
    greatest = to;
    list->count = 0;
    each_word(option, text, take_number);
}

static void take_transport(const char *option, char *word) {
    const struct transport *transport = transport_named(word);
    if (!transport)
        reject("--%s: '%s' is no transport", option, word);
    if (settings.transport_count == MAX_LIST)
        reject("--%s: more than %d transports", option, MAX_LIST);
    settings.transports[settings.transport_count++] = transport;
}

static void take_place_word(const char *option, char *word) {
    for (enum place place = TWO; place < PLACES; place++)
        if (strcmp(word, place_names[place]) == 0) {
            if (!place_exists(place))
                reject("--%s: there is one processor only", option);
            if (settings.place_count == PLACES)
                reject("--%s: more than %d places", option, PLACES);
            settings.places[settings.place_count++] = place;
            return;
        }
    reject("--%s: '%s' is none of two, one, free", option, word);
}

static void be_quick(void) {
    settings.rounds = 1;
    settings.seconds = 0.02;
    settings.sets.count = 3;
}

static void take_option(int option, const char *name, const char *text) {
    switch (option) {
    case HELP:
        print_usage(stdout);
        output_end(0);
    case VERSION:
        printf("Ouroboros version " OUROBOROS_VERSION_STRING " (commit %s)\n", ct_commit());
        output_end(0);
    case TRANSPORTS:
        settings.transport_count = 0;
        each_word(name, text, take_transport);
        break;
    case PLACE:
        settings.place_count = 0;
        each_word(name, text, take_place_word);
        break;
    case SIZES: read_list(&settings.sizes, name, text, LEAST_MESSAGE, GREATEST_MESSAGE); break;
    case FLOWS: read_list(&settings.flows, name, text, 1, MAX_CHANNELS); break;
    case SETS: read_list(&settings.sets, name, text, 1, MAX_OPEN_FLOWS); break;
    case OPEN_FLOWS: settings.open_flows = whole_number(name, text, 1, MAX_OPEN_FLOWS); break;
    case ROUNDS: settings.rounds = (int)whole_number(name, text, 1, MAX_ROUNDS); break;
    case SECONDS: settings.seconds = single_number(name, text, 0.001, 3600); break;
    case BUFFER: settings.buffer_bytes = whole_number(name, text, 4096, 1 << 30); break;
    case GRID: settings.grid = true; break;
    case QUICK: be_quick(); break;
    case JSON: settings.json = text; break;
    case PLOT: settings.plot = text; break;
    default: reject("what is meant?");
    }
}

static void take_measure(const char *word) {
    bool is_all = strcmp(word, "all") == 0, is_known = is_all;
    for (int i = 0; i < MEASURES; i++)
        if (is_all || strcmp(word, measure_names[i]) == 0)
            settings.measures[i] = is_known = true;
    if (!is_known)
        reject("'%s' is no measure", word);
}

void read_options(int argc, char **argv) {
    struct option table[OPTIONS + 1] = {{0}};
    int option, index = 0;
    if (argc > 1 && strcmp(argv[1], "--complete") == 0) {
        complete(argc - 2, argv + 2);
        output_end(0);
    }
    for (int i = 0; i < OPTIONS; i++)
        table[i] = options[i].option;
    // Messages are ours; the rest are the measures.
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", table, &index)) != -1) {
        if (option == ':')
            reject("%s needs a value", argv[optind - 1]);
        if (option == '?')
            reject("'%s' is no option", argv[optind - 1]);
        take_option(option, option == HELP ? "help" : table[index].name, optarg);
    }
    for (int i = optind; i < argc; i++)
        take_measure(argv[i]);
    if (optind == argc)
        take_measure("all");
    if (settings.transport_count == 0)
        while (settings.transport_count < transport_count) {
            settings.transports[settings.transport_count] = &transports[settings.transport_count];
            settings.transport_count++;
        }
    if (settings.place_count == 0)
        for (enum place place = TWO; place < PLACES; place++)
            if (place_exists(place))
                settings.places[settings.place_count++] = place;
}
