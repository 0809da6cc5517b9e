/*
 * Ouroboros: a sender that is faster than its reader
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"

#define MESSAGES 20000u
#define SIZE 1000
#define MORE_KIB 16384

/* Of what comes from another host: its queue holds 3 MiB. */
#define QUEUE (3u << 20)

static uint8_t buffer[LONGEST];

/* Which message it is; below zero: none that was sent. */
static long message_of(const uint8_t * bytes,
                       ssize_t         count,
                       long            last)
{
    long number;

    for (number = last + 1; number < (long) MESSAGES; number++)
        if (count == SIZE && holds(bytes, SIZE, 0, (unsigned) number))
            return number;
    return -1;
}

/* The next message, if it is one that was sent after the last one. */
static bool read_next(int    fd,
                      long * last,
                      long * count)
{
    ssize_t result = flow_read(fd, buffer, sizeof(buffer));

    *last = message_of(buffer, result, *last);
    *count += 1;
    return *last >= 0;
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair pair;
    long             ipcp_before;
    long             last = -1;
    long             count = 0;
    long long        departed;
    long long        arrived;
    long long        full;
    long long        others;
    size_t           queued = 0;
    size_t           waiting = 0;
    ssize_t          result;
    bool             right = true;

    hosts_begin(argc, argv);
    pair = pair_to_two("two.pressure", NULL);

    ipcp_before = memory_of(ipcp_of(ONE));
    full = network(ONE, "lost: queue full");
    /* What the programs before this one have lost there. */
    others = network(TWO, "lost: queue full");
    departed = network(TWO, "packets departed");
    arrived = network(ONE, "packets arrived");

    CHECK_RESULT(agent_many(&pair.agent, AGENT_SEND, pair.peer, MESSAGES, SIZE,
                            0), MESSAGES, "a fast sender is not held up");
    wait_for_more(ONE, "lost: queue full", full);
    CHECK(true, "what its reader does not read is lost in its queue, and "
          "counted");
    wait_for_more(TWO, "packets departed", departed + MESSAGES - 1);
    CHECK_RESULT(network(TWO, "lost: queue full"), others,
                 "nothing is on the sender's host");

    fccntl(pair.fd, FLOWGRXQLEN, &queued);
    CHECK(queued > 0 && queued * SIZE <= QUEUE,
          "the queue has its bound (%zu messages)", queued);
    CHECK(memory_of(ipcp_of(ONE)) <= ipcp_before + MORE_KIB,
          "the IPCP does not grow (%ld to %ld KiB)", ipcp_before,
          memory_of(ipcp_of(ONE)));

    while (right && fccntl(pair.fd, FLOWGRXQLEN, &waiting) == 0 && waiting > 0)
        right = read_next(pair.fd, &last, &count);
    CHECK(right, "what has come is whole and in order");
    CHECK(count >= (long) queued, "all that was queued is read (%ld)", count);

    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 100, 5), 100,
                 "a message after that");
    while ((result = flow_read(pair.fd, buffer, sizeof(buffer))) == SIZE)
        continue;
    CHECK(result == 100 && holds(buffer, 100, 0, 5), "comes");
    note("%lld of %lld packets did not come through the socket",
         network(TWO, "packets departed") - departed
         - (network(ONE, "packets arrived") - arrived),
         network(TWO, "packets departed") - departed);
    flow_pair_end(&pair);

    return conformance_end();
}
