// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A seeded random source, as in the endurance programs: the seed is printed, so that a failure can be had again.

#ifndef LOSSY_PATH_RANDOM_H
#define LOSSY_PATH_RANDOM_H

#include <stdint.h>

static uint64_t random_state;

static uint64_t random_number(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

#endif
