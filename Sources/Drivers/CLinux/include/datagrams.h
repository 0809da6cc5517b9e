// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UDP sockets: addresses as the kernel has them, and the control messages by which it splits and joins datagrams. Each
// function that can fail returns -errno.

#ifndef OUROBOROS_DATAGRAMS_H
#define OUROBOROS_DATAGRAMS_H

#include <endian.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/// An address of either family: a `sockaddr_in` is shorter, and begins with its family as well.
typedef struct sockaddr_in6 cl_address;

/// One message of sendmmsg() or recvmmsg(): a `struct mmsghdr`, which is hidden from Swift.
struct cl_datagram_message {
    struct msghdr header;
    unsigned int length;
};

/// Room for the control messages of one message.
struct cl_datagram_control {
    _Alignas(8) uint8_t space[64];
};

/// `high` and `low`: 16 bytes in network order; of IPv4 the lower half of `low`. Returns the length.
static inline socklen_t cl_address_write(cl_address *place, bool six, uint64_t high, uint64_t low, uint16_t port,
                                         uint32_t scope) {
    if (!six) {
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htobe16(port)};
        four.sin_addr.s_addr = htobe32((uint32_t)low);
        memcpy(place, &four, sizeof four);
        return sizeof four;
    }
    uint64_t words[2] = {htobe64(high), htobe64(low)};
    memset(place, 0, sizeof *place);
    place->sin6_family = AF_INET6;
    place->sin6_port = htobe16(port);
    place->sin6_scope_id = scope;
    memcpy(&place->sin6_addr, words, sizeof words);
    return sizeof *place;
}

/// The reverse. False if it is of no family that we know.
static inline bool cl_address_read(const cl_address *place, bool *six, uint64_t *high, uint64_t *low, uint16_t *port,
                                   uint32_t *scope) {
    *six = place->sin6_family == AF_INET6;
    *port = be16toh(place->sin6_port);
    if (*six) {
        uint64_t words[2];
        memcpy(words, &place->sin6_addr, sizeof words);
        *high = be64toh(words[0]);
        *low = be64toh(words[1]);
        *scope = place->sin6_scope_id;
        return true;
    }
    struct sockaddr_in four;
    memcpy(&four, place, sizeof four);
    *high = 0;
    *low = be32toh(four.sin_addr.s_addr);
    *scope = 0;
    return four.sin_family == AF_INET;
}

/// A UDP socket that never waits and keeps errors that come back from the network; bound. Descriptor or -errno.
int cl_datagram_socket(const cl_address *address, socklen_t length);
/// What it is bound to. 0 or -errno.
int cl_datagram_name(int fd, cl_address *address);
/// Asks for buffers of this size, as much of it as the system allows.
void cl_datagram_buffers(int fd, int arriving, int departing);
/// Whether the kernel splits long messages (UDP GSO). One that cannot would send them as they are.
bool cl_datagram_can_split(int fd);
/// Lets the kernel join datagrams of one source (UDP GRO). False if it cannot.
bool cl_datagram_join(int fd);
/// How many datagrams found no room in the buffer of the socket, from the beginning; it may wrap.
uint32_t cl_datagram_drops(int fd);

static const int cl_route_local = 2, cl_route_broadcast = 3;
/// What the kernel's routes say of an address: `RTN_LOCAL`, `RTN_BROADCAST`, and so on, or -errno.
int cl_route_type(const cl_address *address);

/// Has the message sent in pieces of `size` bytes.
void cl_datagram_split(struct cl_datagram_message *message, struct cl_datagram_control *control, uint16_t size);
/// The size of the datagrams that were joined in an arrived message; 0 if it is one.
uint32_t cl_datagram_joined(const struct cl_datagram_message *message);

/// How many of the messages were sent, from the first one; -errno if the first one could not be.
int cl_datagram_send(int fd, struct cl_datagram_message *messages, unsigned count);
/// How many came; -errno if none.
int cl_datagram_receive(int fd, struct cl_datagram_message *messages, unsigned count);
/// The next error of those that the socket keeps, as errno; 0 if there is none, -errno if it cannot be read.
/// `*is_ours`: it came from this host, so the call that sent the datagram has told it, too.
int cl_datagram_error(int fd, bool *is_ours);

#endif
