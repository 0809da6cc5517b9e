/*
 * Ouroboros: datagrams of a UDP layer, as strangers make them
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef DATAGRAMS_H
#define DATAGRAMS_H

#include "hosts.h"

/* More than the longest of the layer. */
#define DATAGRAM_SIZE 10000

/* Bytes before the hash of a request, and of a reply's fixed part. */
#define MANAGEMENT_SIZE 47
#define HASH_SIZE 16
#define REQUEST_SIZE (MANAGEMENT_SIZE + HASH_SIZE + 36)

/* What a host of this system adds for a raw flow: it is one, and what it wants. */
#define DATA_SIZE 14

struct datagram {
    size_t  count;
    uint8_t bytes[DATAGRAM_SIZE];
};

uint64_t random_number(void);

void random_seed(uint64_t seed);

/* A request for a flow, as of now and the seconds given; id and all. */
void make_request(struct datagram * datagram,
                  uint32_t          requester,
                  const char *      name,
                  const qosspec_t * qos,
                  int               seconds);

/* A reply to a requester that was never asked. */
void make_reply(struct datagram * datagram,
                uint32_t          requester,
                uint32_t          responder,
                int32_t           response);

/* The end of a flow. */
void make_gone(struct datagram * datagram,
               uint32_t          recipient,
               uint32_t          sender);

/* A packet for the flow of an endpoint. */
void make_packet(struct datagram * datagram,
                 uint32_t          endpoint,
                 size_t            count,
                 unsigned          seed);

/* Noise of at most so many bytes; the first four are those of management. */
void make_noise(struct datagram * datagram,
                size_t            longest,
                bool              is_management);

uint32_t number_at(const struct datagram * datagram,
                   size_t                  place);

void send_to(int                     fd,
             int                     number,
             const struct datagram * datagram);

/* False if nothing comes for the time limit of the socket. */
bool receive(int               fd,
             struct datagram * datagram);

#endif /* DATAGRAMS_H */
