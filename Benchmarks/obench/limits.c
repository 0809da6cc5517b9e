// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What no transport can beat: how fast this processor copies memory. And what the instrument itself costs: one look at
// the clock. (Rings and the cache line are transports, so that they are interleaved with the others.)

#include "clock.h"
#include "measures.h"
#include "trial.h"

#include <stdlib.h>
#include <string.h>

struct limits {
    size_t bytes; // to copy; 0: look at the clock
    double times, seconds;
};

static void copy(char *to, const char *from, size_t bytes) {
    memcpy(to, from, bytes);
    // The copy must be made, although nobody reads it.
    __asm__ volatile("" : : "r"(to) : "memory");
}

static void work(void *subject) {
    struct limits *limits = subject;
    char *from = message_buffer(limits->bytes), *to = message_buffer(limits->bytes);
    uint64_t times = 0, start = 0;
    await_start();
    for (enum phase phase; (phase = phase_now()) != STOPPING; times++) {
        if (phase == MEASURING && start == 0) {
            start = nanoseconds_now();
            times = 0;
        }
        if (limits->bytes)
            copy(to, from, limits->bytes);
        else
            nanoseconds_now();
    }
    limits->times = (double)times;
    limits->seconds = start ? (double)(nanoseconds_now() - start) / 1e9 : 0;
    free(from);
    free(to);
}

static void run(const struct subject *subject, const char *what, struct row *row) {
    struct limits *limits = shared_memory(sizeof *limits);
    limits->bytes = subject->bytes;
    if (trial_run(&(struct trial){.what = what, .place = ONE, .client = work, .clients = 1,
                                  .seconds = settings.seconds, .subject = limits}) &&
        limits->times > 0 && limits->seconds > 0) {
        if (subject->bytes)
            row_add(row, "memcpy_gigabytes_per_second", limits->times * (double)subject->bytes / limits->seconds / 1e9);
        else
            row_add(row, "clock_ns", limits->seconds / limits->times * 1e9);
    }
    shared_memory_free(limits, sizeof *limits);
}

void measure_limits(void) {
    repeat(&(struct subject){.measure = LIMITS}, run);
    for (int i = 0; i < settings.sizes.count; i++)
        repeat(&(struct subject){.measure = LIMITS, .bytes = settings.sizes.values[i]}, run);
}
