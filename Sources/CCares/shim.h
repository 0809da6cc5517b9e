// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef OUROBOROS_CCARES_H
#define OUROBOROS_CCARES_H
// Later versions find these calls old, but keep them; Debian 12 has no others.
#define CARES_NO_DEPRECATED
#include <ares.h>

static inline _Bool cc_wants_to_read(int sockets, int index) { return ARES_GETSOCK_READABLE((unsigned)sockets, index); }
static inline _Bool cc_wants_to_write(int sockets, int index) { return ARES_GETSOCK_WRITABLE((unsigned)sockets, index); }
#endif
