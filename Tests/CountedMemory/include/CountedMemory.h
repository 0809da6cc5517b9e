// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef OUROBOROS_COUNTED_MEMORY_H
#define OUROBOROS_COUNTED_MEMORY_H
#include <stdint.h>

/// A program with this in it counts how often its first thread asks the heap for memory, where a test can see it: in the
/// file that its executable's path and ".PID" name.
enum { COUNTED_TRACES = 64, COUNTED_FRAMES = 15 };

struct counted_memory {
    uint64_t calls;
    /// Of the last calls, who called: return addresses, less the address of the executable.
    uint64_t traces[COUNTED_TRACES][COUNTED_FRAMES];
};

/// So that the linker takes it.
void counted_memory_begin(void);
#endif
