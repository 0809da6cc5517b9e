// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CLinux.h"

// Sixteen bytes, wherever they are.
typedef long long block __attribute__((vector_size(16), aligned(1), may_alias));

void cl_copy_backwards(void *to, const void *from, size_t count) {
    char *destination = to;
    const char *source = from;
    while (count >= 64) {
        count -= 64;
        const block *in = (const block *)(source + count);
        block *out = (block *)(destination + count);
        block first = in[0], second = in[1], third = in[2], fourth = in[3];
        out[0] = first;
        out[1] = second;
        out[2] = third;
        out[3] = fourth;
    }
    memcpy(destination, source, count);
}
