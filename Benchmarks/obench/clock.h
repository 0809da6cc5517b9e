// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time, and how to wait for a word that another processor writes.

#ifndef OBENCH_CLOCK_H
#define OBENCH_CLOCK_H

#include <sched.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t nanoseconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline struct timespec timespec_of(uint64_t nanoseconds) {
    return (struct timespec){(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
}

// A short wait: pauses first, for a peer on another processor, then yields, for one that shares ours. It never sleeps.
static inline void spin(unsigned *rounds) {
    if (++*rounds > 16) {
        sched_yield();
        return;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
