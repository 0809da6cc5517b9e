// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What many flows between two processes take of memory: idle, after a small message each way, after a large one has
// been read, and when the library has had time to give back what that took.

#include "clock.h"
#include "measures.h"
#include "message.h"
#include "progress.h"
#include "trial.h"

#include <ouroboros/dev.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL_BYTES = 64, LARGE_BYTES = 1000000, GREATEST_FILLED = 256 };
// The library gives memory back long before.
#define SETTLING_NANOSECONDS 10000000000u

// The first three are those of both processes together, the others of the whole system.
enum kind { SHARED, PRIVATE, PAGE_TABLES, SLAB, SYSTEM_SHARED, KINDS };

static const char *const figure_names[KINDS] = {
    "shared_bytes", "private_bytes", "page_table_bytes", "slab_bytes", "system_shared_bytes"};

struct sample {
    double kibibytes[KINDS];
};

struct memory {
    int flows, filled;
    pid_t server;
    struct sample before, states[VARIANTS];
};

// What the client asks for over the first flow, each answered when it is done.
enum request { OPEN, EXCHANGE, FILL, END };

// Adds up the values of the lines `Name: N kB` of a file.
static double kibibytes(const char *path, const char *name) {
    char line[256];
    double sum = 0;
    size_t length = strlen(name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail("%s cannot be read", path);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            sum += strtod(line + length + 1, NULL);
    fclose(file);
    return sum;
}

// A page that several processes have mapped counts for each by its part, so the sum over both counts nothing twice.
static struct sample take_sample(const struct memory *memory) {
    struct sample sample = {.kibibytes = {[SLAB] = kibibytes("/proc/meminfo", "Slab"),
                                          [SYSTEM_SHARED] = kibibytes("/proc/meminfo", "Shmem")}};
    pid_t processes[2] = {getpid(), memory->server};
    for (int i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)processes[i]);
        sample.kibibytes[SHARED] += kibibytes(path, "Pss_Shmem");
        sample.kibibytes[PRIVATE] += kibibytes(path, "Pss_Anon");
        snprintf(path, sizeof path, "/proc/%d/status", (int)processes[i]);
        sample.kibibytes[PAGE_TABLES] += kibibytes(path, "VmPTE");
    }
    return sample;
}

static void receive(int flow, char *buffer, size_t size) {
    struct end end = {.reading = flow};
    ssize_t count = flows_receive(&end, buffer, size);
    expect("flow_read", count);
    if ((size_t)count != size)
        fail("a message of %zd bytes instead of %zu", count, size);
}

static void serve(void *subject) {
    struct memory *memory = subject;
    int *flows = calloc((size_t)memory->flows, sizeof *flows);
    char *buffer = message_buffer(LARGE_BYTES);
    memory->server = getpid();
    expect("irm_bind_process", flows_listen());
    say_ready();
    int control = flow_accept(NULL, NULL);
    expect("flow_accept", control);
    await_start();
    for (uint64_t request = OPEN; request != END;) {
        receive(control, buffer, SMALL_BYTES);
        request = message_word(buffer, 0);
        for (int i = 0; request == OPEN && i < memory->flows; i++)
            expect("flow_accept", flows[i] = flow_accept(NULL, NULL));
        for (int i = 0; request == EXCHANGE && i < memory->flows; i++) {
            receive(flows[i], buffer, SMALL_BYTES);
            expect("flow_write", flow_write(flows[i], buffer, SMALL_BYTES));
        }
        for (int i = 0; request == FILL && i < memory->filled; i++)
            receive(flows[i], buffer, LARGE_BYTES);
        expect("flow_write", flow_write(control, buffer, SMALL_BYTES));
    }
    expect("irm_unbind_process", flows_unlisten());
    for (int i = 0; i < memory->flows; i++)
        flow_dealloc(flows[i]);
}

static void begin(int control, char *buffer, enum request request) {
    message_put(buffer, 0, request);
    expect("flow_write", flow_write(control, buffer, SMALL_BYTES));
}

// When less than a tenth of what the large messages took is left and it has become no less for a moment.
static struct sample settle(const struct memory *memory) {
    uint64_t deadline = nanoseconds_now() + SETTLING_NANOSECONDS;
    double active = memory->states[ACTIVE].kibibytes[SHARED], filled = memory->states[FILLED].kibibytes[SHARED];
    struct sample last = memory->states[FILLED];
    for (;;) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        struct sample sample = take_sample(memory);
        double shared = sample.kibibytes[SHARED];
        bool has_settled = shared <= active + (filled - active) / 10 && shared >= last.kibibytes[SHARED];
        if (has_settled || nanoseconds_now() > deadline)
            return sample;
        last = sample;
    }
}

static void client(void *subject) {
    struct memory *memory = subject;
    int *flows = calloc((size_t)memory->flows, sizeof *flows);
    char *buffer = message_buffer(LARGE_BYTES);
    int control = flow_alloc(flow_service_name, NULL, NULL);
    expect("flow_alloc", control);
    await_start();
    memory->before = take_sample(memory);

    begin(control, buffer, OPEN);
    for (int i = 0; i < memory->flows; i++)
        expect("flow_alloc", flows[i] = flow_alloc(flow_service_name, NULL, NULL));
    receive(control, buffer, SMALL_BYTES);
    memory->states[IDLE] = take_sample(memory);

    begin(control, buffer, EXCHANGE);
    for (int i = 0; i < memory->flows; i++) {
        expect("flow_write", flow_write(flows[i], buffer, SMALL_BYTES));
        receive(flows[i], buffer, SMALL_BYTES);
    }
    receive(control, buffer, SMALL_BYTES);
    memory->states[ACTIVE] = take_sample(memory);

    begin(control, buffer, FILL);
    for (int i = 0; i < memory->filled; i++)
        expect("flow_write", flow_write(flows[i], buffer, LARGE_BYTES));
    receive(control, buffer, SMALL_BYTES);
    memory->states[FILLED] = take_sample(memory);
    memory->states[SETTLED] = settle(memory);

    begin(control, buffer, END);
    receive(control, buffer, SMALL_BYTES);
    for (int i = 0; i < memory->flows; i++)
        flow_dealloc(flows[i]);
}

// Bytes for each flow. Large messages went over some of the flows only: what they add counts for those.
static double for_each_flow(const struct memory *memory, enum variant state, enum kind kind) {
    const struct sample *states = memory->states;
    double active = (states[ACTIVE].kibibytes[kind] - memory->before.kibibytes[kind]) / memory->flows;
    if (state == IDLE)
        return (states[IDLE].kibibytes[kind] - memory->before.kibibytes[kind]) / memory->flows * 1024;
    if (state == ACTIVE)
        return active * 1024;
    return (active + (states[state].kibibytes[kind] - states[ACTIVE].kibibytes[kind]) / memory->filled) * 1024;
}

static void add_states(const struct memory *memory) {
    struct subject subject = {
        .measure = MEMORY, .transport = transport_named("flow"), .flows = settings.open_flows};
    for (subject.variant = IDLE; subject.variant <= SETTLED; subject.variant++)
        for (int kind = 0; kind < KINDS; kind++)
            row_add(row_about(&subject), figure_names[kind],
                    for_each_flow(memory, subject.variant, (enum kind)kind));
}

void measure_memory(void) {
    struct memory *memory = shared_memory(sizeof *memory);
    progress_show("memory", 0, 1);
    memory->flows = (int)settings.open_flows;
    memory->filled = memory->flows < GREATEST_FILLED ? memory->flows : GREATEST_FILLED;
    if (trial_run(&(struct trial){.what = "memory", .place = FREE, .server = serve, .client = client, .clients = 1,
                                  .subject = memory}))
        add_states(memory);
    shared_memory_free(memory, sizeof *memory);
}
