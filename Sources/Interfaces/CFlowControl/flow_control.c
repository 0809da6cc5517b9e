// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CFlowControl.h"

#include <ouroboros/fccntl.h>

int cf_set_flags(int fd, uint32_t flags) { return fccntl(fd, FLOWSFLAGS, flags); }

int cf_set_receive_timeout(int fd, const struct timespec *timeout) { return fccntl(fd, FLOWSRCVTIMEO, timeout); }
