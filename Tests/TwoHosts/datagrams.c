/*
 * Ouroboros: datagrams of a UDP layer, as strangers make them
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "datagrams.h"

#include <sys/socket.h>

static uint64_t state = 1;

void random_seed(uint64_t seed)
{
    state = seed | 1;
}

/* xorshift64* */
uint64_t random_number(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

static void put(struct datagram * datagram,
                uint64_t          value,
                int               count)
{
    while (count-- > 0)
        datagram->bytes[datagram->count++] = (uint8_t) (value >> 8 * count);
}

/* The MD5 sum of a name; asked of md5sum, once for each name in a row. */
static const uint8_t * hash_of(const char * name)
{
    static char    last[NAME_SIZE + 1];
    static uint8_t hash[HASH_SIZE];
    char           command[NAME_SIZE + 32];
    FILE *         output;
    unsigned       byte = 0;
    int            i;

    if (strcmp(name, last) == 0)
        return hash;

    snprintf(command, sizeof(command), "printf %%s '%s' | md5sum", name);
    output = popen(command, "r");
    MUST(output != NULL, "a name is hashed");
    for (i = 0; i < HASH_SIZE; i++) {
        MUST(fscanf(output, "%2x", &byte) == 1, "a name has a hash");
        hash[i] = (uint8_t) byte;
    }
    pclose(output);
    snprintf(last, sizeof(last), "%s", name);
    return hash;
}

static void put_management(struct datagram * datagram,
                           uint32_t          requester,
                           uint32_t          responder,
                           int32_t           response,
                           const qosspec_t * qos,
                           uint8_t           code)
{
    datagram->count = 0;
    put(datagram, 0, 4);
    put(datagram, requester, 4);
    put(datagram, responder, 4);
    put(datagram, (uint32_t) response, 4);
    put(datagram, qos->bandwidth, 8);
    put(datagram, qos->delay, 4);
    put(datagram, qos->loss, 4);
    put(datagram, qos->ber, 4);
    put(datagram, qos->max_gap, 4);
    put(datagram, qos->timeout, 4);
    put(datagram, code, 1);
    put(datagram, qos->availability, 1);
    put(datagram, qos->in_order, 1);
}

void make_request(struct datagram * datagram,
                  uint32_t          requester,
                  const char *      name,
                  const qosspec_t * qos,
                  int               seconds)
{
    struct timespec now;
    int             i;

    put_management(datagram, requester, 0, 0, qos, 1);
    memcpy(datagram->bytes + datagram->count, hash_of(name), HASH_SIZE);
    datagram->count += HASH_SIZE;

    clock_gettime(CLOCK_REALTIME, &now);
    put(datagram, random_number(), 8);
    put(datagram, random_number(), 8);
    put(datagram, (uint64_t) (now.tv_sec + seconds) * UINT64_C(1000000000)
                  + (uint64_t) now.tv_nsec, 8);
    for (i = 0; i < 6; i++)
        put(datagram, 0, 2);
}

void make_reply(struct datagram * datagram,
                uint32_t          requester,
                uint32_t          responder,
                int32_t           response)
{
    static const qosspec_t none;

    put_management(datagram, requester, responder, response, &none, 2);
}

void make_gone(struct datagram * datagram,
               uint32_t          recipient,
               uint32_t          sender)
{
    static const qosspec_t none;

    put_management(datagram, recipient, sender, 0, &none, 3);
}

void make_packet(struct datagram * datagram,
                 uint32_t          endpoint,
                 size_t            count,
                 unsigned          seed)
{
    datagram->count = 0;
    put(datagram, endpoint, 4);
    fill(datagram->bytes + 4, count, seed);
    datagram->count += count;
}

void make_noise(struct datagram * datagram,
                size_t            longest,
                bool              is_management)
{
    size_t count = random_number() % (longest + 1);

    datagram->count = 0;
    while (datagram->count < count && datagram->count + 8 <= DATAGRAM_SIZE)
        put(datagram, random_number(), 8);
    if (is_management)
        memset(datagram->bytes, 0, 4);
    if (datagram->count > count)
        datagram->count = count;
}

uint32_t number_at(const struct datagram * datagram,
                   size_t                  place)
{
    const uint8_t * bytes = datagram->bytes + place;

    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16
         | (uint32_t) bytes[2] << 8 | bytes[3];
}

void send_to(int                     fd,
             int                     number,
             const struct datagram * datagram)
{
    address_t address = address_of(number);

    /* An error is that of a datagram before. */
    while (sendto(fd, datagram->bytes, datagram->count, 0,
                  (struct sockaddr *) &address, sizeof(address)) < 0)
        MUST(errno == ENOBUFS || errno == EAGAIN || errno == ECONNREFUSED,
             "a datagram is sent (%s)", strerror(errno));
}

bool receive(int               fd,
             struct datagram * datagram)
{
    ssize_t count = recv(fd, datagram->bytes, sizeof(datagram->bytes), 0);

    datagram->count = count > 0 ? (size_t) count : 0;
    return count >= 0;
}
