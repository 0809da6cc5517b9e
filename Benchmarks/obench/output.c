// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#define _GNU_SOURCE
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

void output_error(const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        return;
    for (const char *next = text; *next; next++)
        if (*next == '\\')
            fputs("\\\\", stderr);
        else if (*next >= ' ' && *next <= '~')
            fputc(*next, stderr);
        else
            fprintf(stderr, "\\x%02x", (unsigned char)*next);
    free(text);
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
