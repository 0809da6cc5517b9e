// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Standard output: what could not be written is a failure.

#ifndef OBENCH_OUTPUT_H
#define OBENCH_OUTPUT_H

// Writes out what is buffered. NULL, or why that failed.
const char *output_flush(void);

// Ends the program, with `status` or with a word and 1.
__attribute__((noreturn)) void output_end(int status);

#endif
