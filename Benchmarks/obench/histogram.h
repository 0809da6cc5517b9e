// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Times in buckets that are less than one percent wide: nothing is allocated, however many there are.

#ifndef OBENCH_HISTOGRAM_H
#define OBENCH_HISTOGRAM_H

#include <stdint.h>

enum { PRECISION_BITS = 7, BUCKETS = (64 - PRECISION_BITS + 1) << PRECISION_BITS };

struct histogram {
    uint64_t count, least, greatest;
    uint64_t buckets[BUCKETS];
};

// All zeroes is an empty one.
static inline void histogram_add(struct histogram *histogram, uint64_t value) {
    unsigned shift = value >> PRECISION_BITS ? 63 - PRECISION_BITS - (unsigned)__builtin_clzll(value) : 0;
    uint64_t bucket = value >> PRECISION_BITS ? ((uint64_t)shift << PRECISION_BITS) + (value >> shift) : value;
    if (histogram->count++ == 0 || value < histogram->least)
        histogram->least = value;
    if (value > histogram->greatest)
        histogram->greatest = value;
    histogram->buckets[bucket]++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other);

// The value that `part` (0 to 1) of all did not exceed.
double histogram_percentile(const struct histogram *histogram, double part);

#endif
