// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One line on standard error that says what is being measured, if somebody watches.

#ifndef OBENCH_PROGRESS_H
#define OBENCH_PROGRESS_H

void progress_show(const char *what, int round, int rounds);
void progress_clear(void);

#endif
