// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Swift cannot export: a variadic function, and code that runs when the library is loaded, forks and ends.

#ifndef OUROBOROS_DEV_SHIM_H
#define OUROBOROS_DEV_SHIM_H

#include <stdint.h>

/// Defined in Swift. `argument` is the pointer or the number that the command takes.
int ouroboros_dev_control(int fd, int command, uintptr_t argument);
void ouroboros_dev_load(int count, char **arguments);
void ouroboros_dev_unload(void);
void ouroboros_dev_prepare_fork(void);
void ouroboros_dev_parent_forked(void);
void ouroboros_dev_child_forked(void);

#endif
