// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Standard output: what could not be written is a failure.

#ifndef OBENCH_OUTPUT_H
#define OBENCH_OUTPUT_H

#include <stdarg.h>

// Writes out what is buffered. NULL, or why that failed.
const char *output_flush(void);

// Writes to standard error, in one line and with nothing in it that a terminal could take for more than text: words of
// the command line and names of files can be anything.
__attribute__((format(printf, 1, 0))) void output_error(const char *format, va_list arguments);

// Ends the program, with `status` or with a word and 1.
__attribute__((noreturn)) void output_end(int status);

#endif
