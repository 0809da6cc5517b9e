// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The life of the process that conducts the trials: its name at irmd, its end by a signal, its exit status.

#ifndef OBENCH_CONDUCTOR_H
#define OBENCH_CONDUCTOR_H

#include <stdint.h>

// Takes a name at irmd and what the trials need, or says what is missing and exits with 1.
void conductor_begin(void);

// Gives the name back and returns the exit status.
int conductor_end(void);

__attribute__((noreturn, format(printf, 1, 2))) void conductor_fail(const char *format, ...);

// Waits for a file to be readable (-1: for none) until the deadline, in nanoseconds: 1 if it is, 0 if time is up.
// SIGINT, SIGTERM and SIGHUP come here and nowhere else: -1, and the trial that runs is given up.
int conductor_wait(int file, uint64_t deadline);
void conductor_end_if_interrupted(void);

// In a process that was forked: signals end it.
void conductor_forget_signals(void);

// Something that must not happen did; the run goes on, and its exit status will be 1.
void conductor_note_failure(const char *what);

#endif
