// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fccntl(3) takes a variable number of arguments, which Swift cannot call: each command that Swift programs use is a
// function of its own here.

#ifndef OUROBOROS_CFLOWCONTROL_H
#define OUROBOROS_CFLOWCONTROL_H

#include <stdint.h>
#include <time.h>

/// Replaces all flags of the flow. 0 or a negative error.
int cf_set_flags(int fd, uint32_t flags);
/// How long flow_read waits; NULL = as long as it takes. 0 or a negative error.
int cf_set_receive_timeout(int fd, const struct timespec *timeout);

#endif
