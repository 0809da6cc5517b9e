// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "histogram.h"

void histogram_merge(struct histogram *histogram, const struct histogram *other) {
    if (other->count == 0)
        return;
    if (histogram->count == 0 || other->least < histogram->least)
        histogram->least = other->least;
    if (other->greatest > histogram->greatest)
        histogram->greatest = other->greatest;
    histogram->count += other->count;
    for (int i = 0; i < BUCKETS; i++)
        histogram->buckets[i] += other->buckets[i];
}

// The middle of a bucket.
static double value_of(uint64_t bucket) {
    if (bucket < (1u << (PRECISION_BITS + 1)))
        return (double)bucket;
    unsigned shift = (unsigned)(bucket >> PRECISION_BITS) - 1;
    uint64_t base = (bucket - ((uint64_t)shift << PRECISION_BITS)) << shift;
    return (double)base + (double)((1ull << shift) - 1) / 2;
}

double histogram_percentile(const struct histogram *histogram, double part) {
    double wanted = part * (double)histogram->count, seen = 0;
    for (uint64_t i = 0; i < BUCKETS; i++) {
        seen += (double)histogram->buckets[i];
        if (histogram->buckets[i] && seen >= wanted) {
            double value = value_of(i);
            if (value > (double)histogram->greatest)
                return (double)histogram->greatest;
            return value < (double)histogram->least ? (double)histogram->least : value;
        }
    }
    return (double)histogram->greatest;
}
