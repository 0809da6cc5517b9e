// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *output_flush(void) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return NULL;
    return errno ? strerror(errno) : "it could not be written";
}

void output_end(int status) {
    const char *failure = output_flush();
    if (!failure && close(STDOUT_FILENO) != 0 && errno != EBADF)
        failure = strerror(errno);
    if (failure) {
        fprintf(stderr, "obench: standard output: %s\n", failure);
        _exit(1);
    }
    exit(status);
}
