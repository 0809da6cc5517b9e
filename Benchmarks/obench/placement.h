// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// On which processors the two sides run.

#ifndef OBENCH_PLACEMENT_H
#define OBENCH_PLACEMENT_H

#include "transport.h"

// Each side on a processor of its own, both on one, or wherever the system puts them.
enum place { NO_PLACE, TWO, ONE, FREE, PLACES };

extern const char *const place_names[PLACES];

// Finds the processors; once, at the beginning.
void find_processors(void);

// With one processor only there is no TWO.
bool place_exists(enum place place);

// Moves the calling process there.
void take_place(enum place place, enum side side);

// Processor of a side at TWO; at ONE it is that of the client.
int processor_of(enum side side);

// The two are threads of one core.
bool processors_are_siblings(void);

#endif
