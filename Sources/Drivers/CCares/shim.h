// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef OUROBOROS_CCARES_H
#define OUROBOROS_CCARES_H
// Later versions find these calls old, but keep them; Debian 12 has no others.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <stdint.h>
#include <sys/socket.h>

static inline _Bool cc_wants_to_read(int sockets, int index) { return ARES_GETSOCK_READABLE((unsigned)sockets, index); }
static inline _Bool cc_wants_to_write(int sockets, int index) { return ARES_GETSOCK_WRITABLE((unsigned)sockets, index); }

/// Before a socket is connected: to the interface of this number, because c-ares knows no scopes of addresses.
static inline int cc_bind_to_interface(ares_socket_t socket, int type, void *number) {
    int interface = (int)(uintptr_t)number;
    (void)type;
    return setsockopt(socket, SOL_SOCKET, SO_BINDTOIFINDEX, &interface, sizeof interface);
}

static inline void cc_set_interface(ares_channel channel, uint32_t number) {
    ares_set_socket_configure_callback(channel, cc_bind_to_interface, (void *)(uintptr_t)number);
}
#endif
