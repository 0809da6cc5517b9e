// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static bool is_shown;

void progress_show(const char *what, int round, int rounds) {
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s, round %d of %d", what, round + 1, rounds);
    is_shown = true;
}

void progress_clear(void) {
    if (is_shown)
        fprintf(stderr, "\r\033[K");
    is_shown = false;
}
