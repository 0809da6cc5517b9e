/*
 * Ouroboros: messages and parts of them in flow_read (c-api §5.7)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

static uint8_t buffer[LARGEST];

#define PARTS FLOWFDEFAULT
#define WHOLE (FLOWFDEFAULT | FLOWFRNOPART)

/* flow_read of a part that begins at place first of the seed's message. */
static ssize_t read_part(int      fd,
                         size_t   count,
                         size_t   first,
                         unsigned seed)
{
    ssize_t result = flow_read(fd, buffer, count);

    if (result > 0 && !holds(buffer, (size_t) result, first, seed))
        return WRONG_BYTES;

    return result;
}

static void feed(struct flow_pair * pair,
                 size_t             size,
                 unsigned           seed)
{
    MUST(agent_write(&pair->agent, pair->peer, size, seed) == (long long) size,
         "a message of %zu bytes goes", size);
}

static void check_shorter(struct flow_pair * pair)
{
    feed(pair, 99, 1);
    feed(pair, 1, 2);
    CHECK_RESULT(read_part(pair->fd, 100, 0, 1), 99, "99 bytes into 100");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 2), 1,
                 "then there is no mark of an end, but the next message");
}

static void check_exact(struct flow_pair * pair)
{
    feed(pair, 100, 1);
    feed(pair, 1, 2);
    CHECK_RESULT(read_part(pair->fd, 100, 0, 1), 100, "100 bytes into 100");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 0), 0, "then the mark of its end");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 2), 1, "then the next message");
}

/* SHOULD of c-api §5.7 and issue 2: the rest is not lost. */
static void check_longer(struct flow_pair * pair)
{
    size_t place;

    feed(pair, 250, 1);
    feed(pair, 1, 2);
    CHECK_RESULT(read_part(pair->fd, 100, 0, 1), 100, "250 bytes into 100");
    CHECK_RESULT(read_part(pair->fd, 100, 100, 1), 100, "the second part");
    CHECK_RESULT(read_part(pair->fd, 100, 200, 1), 50,
                 "the last, short part ends the message");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 2), 1, "then the next message");

    feed(pair, 300, 3);
    feed(pair, 2, 4);
    CHECK_RESULT(read_part(pair->fd, 100, 0, 3), 100, "300 bytes into 100");
    CHECK_RESULT(read_part(pair->fd, 100, 100, 3), 100, "the second part");
    CHECK_RESULT(read_part(pair->fd, 100, 200, 3), 100, "the last part");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 0), 0, "the mark of its end");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 4), 2, "then the next message");

    feed(pair, 1000, 5);
    CHECK_RESULT(read_part(pair->fd, 1, 0, 5), 1, "parts of several sizes");
    CHECK_RESULT(read_part(pair->fd, 500, 1, 5), 500, "have their places");
    CHECK_RESULT(read_part(pair->fd, 1000, 501, 5), 499, "to the end");

    feed(pair, 1000, 6);
    for (place = 0; place < 1000; place++)
        if (read_part(pair->fd, 1, place, 6) != 1)
            break;
    CHECK_RESULT((long long) place, 1000, "1,000 bytes, one by one");
    CHECK_RESULT(read_part(pair->fd, 1, 0, 0), 0, "the mark of the end");

    feed(pair, 1048256, 7);
    for (place = 0; place < 1048256; place += 4096)
        if (read_part(pair->fd, 4096, place, 7) <= 0)
            break;
    CHECK(place >= 1048256, "a very large message in parts of 4,096");
}

/* The writer's end does not hold up what the reader has begun. */
static void check_interleaved(struct flow_pair * pair)
{
    feed(pair, 200, 1);
    CHECK_RESULT(read_part(pair->fd, 150, 0, 1), 150, "a part is read");
    feed(pair, 30, 2);
    CHECK_RESULT(read_part(pair->fd, 150, 150, 1), 50,
                 "the rest comes before a message written meanwhile");
    CHECK_RESULT(read_part(pair->fd, 150, 0, 2), 30, "which comes next");
}

static void check_whole(struct flow_pair * pair)
{
    CHECK_RESULT(fccntl(pair->fd, FLOWSFLAGS, WHOLE), 0, "no parts");
    feed(pair, 100, 1);
    feed(pair, 101, 2);
    feed(pair, 1, 3);
    CHECK_RESULT(read_part(pair->fd, 100, 0, 1), 100, "100 bytes into 100");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 0), -EMSGSIZE,
                 "no mark, but the next message, which is too long");
    CHECK_RESULT(read_part(pair->fd, 200, 0, 3), 1, "that is discarded");
    CHECK_RESULT(fccntl(pair->fd, FLOWSFLAGS, PARTS), 0, "parts again");
}

/*
 * SHOULD: the prototype consumes the message. The project decided that the
 * mark of an end is consumed, as there is nothing else to wait for.
 */
static void check_nothing(struct flow_pair * pair)
{
    feed(pair, 100, 1);
    CHECK_RESULT(flow_read(pair->fd, buffer, 0), 0,
                 "no bytes of a message that waits");
    CHECK_RESULT(flow_read(pair->fd, NULL, 0), 0, "nor with a buffer of NULL");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 1), 100, "it is still there");
    feed(pair, 5, 2);
    CHECK_RESULT(flow_read(pair->fd, buffer, 0), 0, "no bytes of the mark");
    CHECK_RESULT(read_part(pair->fd, 100, 0, 2), 5, "which is gone then");

    feed(pair, 100, 3);
    CHECK_RESULT(read_part(pair->fd, 60, 0, 3), 60, "a part is read");
    CHECK_RESULT(flow_read(pair->fd, buffer, 0), 0, "no bytes of the rest");
    CHECK_RESULT(read_part(pair->fd, 60, 60, 3), 40, "it is still there");

    /* SHOULD: NULL arguments give -EINVAL. */
    feed(pair, 3, 4);
    CHECK_RESULT(flow_read(pair->fd, NULL, 10), -EINVAL, "a buffer of NULL");
    CHECK_RESULT(read_part(pair->fd, 10, 0, 4), 3,
                 "does not consume the message");
}

static void check_canary(struct flow_pair * pair)
{
    feed(pair, 10, 1);
    memset(buffer, 0xAA, 32);
    CHECK_RESULT(flow_read(pair->fd, buffer, 20), 10, "10 bytes into 20");
    CHECK(buffer[10] == 0xAA && buffer[20] == 0xAA,
          "leave the rest of the buffer alone");
    feed(pair, 30, 2);
    memset(buffer, 0xAA, 32);
    CHECK_RESULT(flow_read(pair->fd, buffer, 20), 20, "a part of 20 bytes");
    CHECK(buffer[20] == 0xAA, "leaves what is behind the buffer alone");
    CHECK_RESULT(read_part(pair->fd, 20, 20, 2), 10, "the rest is read");
}

/* Queued data is delivered first, also the rest of a message. */
static void check_peer_gone(struct flow_pair * pair)
{
    feed(pair, 150, 1);
    feed(pair, 50, 2);
    CHECK_RESULT(read_part(pair->fd, 100, 0, 1), 100, "a part is read");
    CHECK_RESULT(agent_on(&pair->agent, AGENT_DEALLOC, pair->peer), 0,
                 "the writer deallocates");
    CHECK_RESULT(read_part(pair->fd, 100, 100, 1), 50, "the rest is read");
    CHECK_RESULT(read_part(pair->fd, 50, 0, 2), 50, "and the last message");
    CHECK_RESULT(read_part(pair->fd, 50, 0, 0), 0, "and its mark");
    CHECK_RESULT(read_part(pair->fd, 50, 0, 0), -EFLOWDOWN,
                 "then the flow is down");
    CHECK_RESULT(read_part(pair->fd, 50, 0, 0), -EFLOWDOWN, "and stays so");
}

static void check_quality(const char *      what,
                          const qosspec_t * qos)
{
    struct flow_pair pair = flow_pair_start(what, qos);

    note("%s", what);
    check_shorter(&pair);
    check_exact(&pair);
    check_longer(&pair);
    check_interleaved(&pair);
    check_whole(&pair);
    check_nothing(&pair);
    check_canary(&pair);
    check_peer_gone(&pair);
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_quality("raw", NULL);
    check_quality("data", &qos_data);

    return conformance_end();
}
