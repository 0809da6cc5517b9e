/*
 * Ouroboros: messages in several pieces (dev.h, extensions)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <limits.h>
#include <sys/uio.h>

#define PIECES 5

/* Sizes of the pieces: some empty, one of many pages. */
static const size_t sizes[PIECES] = { 1, 0, 300, 70000, 7 };
#define TOTAL ((size_t) 1 + 0 + 300 + 70000 + 7)

static unsigned char bytes[TOTAL + 100];

static void cut(struct iovec * pieces)
{
    size_t place = 0;
    int    i;

    for (i = 0; i < PIECES; i++) {
        pieces[i].iov_base = sizes[i] > 0 ? bytes + place : NULL;
        pieces[i].iov_len = sizes[i];
        place += sizes[i];
    }
}

static void check_arguments(int fd)
{
    struct iovec wrong = { NULL, 1 };
    struct iovec none = { NULL, 0 };
    struct iovec large[2] = { { bytes, SSIZE_MAX }, { bytes, SSIZE_MAX } };

    CHECK_RESULT(flow_writev(fd, NULL, 1), -EINVAL, "writev of NULL");
    CHECK_RESULT(flow_readv(fd, NULL, 1), -EINVAL, "readv into NULL");
    CHECK_RESULT(flow_writev(fd, &none, -1), -EINVAL, "writev of -1 parts");
    CHECK_RESULT(flow_readv(fd, &none, -1), -EINVAL, "readv into -1 parts");
    CHECK_RESULT(flow_writev(fd, &none, 1025), -EINVAL, "writev of 1,025");
    CHECK_RESULT(flow_writev(fd, &wrong, 1), -EINVAL, "a part at NULL");
    CHECK_RESULT(flow_readv(fd, &wrong, 1), -EINVAL, "readv into such");
    CHECK_RESULT(flow_writev(fd, large, 2), -EINVAL, "a sum too large");
    CHECK_RESULT(flow_writev(fd, large, 1), -EMSGSIZE, "too much for a flow");
    CHECK_RESULT(flow_writev(LAST_FD + 1, &none, 1), -EBADF, "no descriptor");
    CHECK_RESULT(flow_readv(LAST_FD + 1, &none, 1), -EBADF, "nor for readv");
    CHECK_RESULT(flow_writev(200, &none, 1), -ENOTALLOC, "no flow");
    CHECK_RESULT(flow_readv(200, &none, 1), -ENOTALLOC, "nor for readv");
    CHECK_RESULT(flow_writev(fd, &none, 1), 0, "an empty message");
    CHECK_RESULT(flow_writev(fd, NULL, 0), 0, "of no parts at all");
    CHECK_RESULT(flow_readv(fd, NULL, 0), 0, "reading no bytes");
}

static void check_both_ways(struct flow_pair * pair)
{
    struct iovec pieces[PIECES];

    cut(pieces);
    fill(bytes, TOTAL, 1);
    CHECK_RESULT(flow_writev(pair->fd, pieces, PIECES), (long long) TOTAL,
                 "five pieces are one message");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, TOTAL + 1, 1),
                 (long long) TOTAL, "which arrives whole");

    MUST(agent_write(&pair->agent, pair->peer, TOTAL, 2) == (long long) TOTAL,
         "a message comes");
    memset(bytes, 0, sizeof(bytes));
    CHECK_RESULT(flow_readv(pair->fd, pieces, PIECES), (long long) TOTAL,
                 "it fills five pieces");
    CHECK(holds(bytes, TOTAL, 0, 2), "one after the other");
    CHECK_RESULT(flow_readv(pair->fd, pieces, PIECES), 0,
                 "exactly, so the end is said");
}

static void check_parts(struct flow_pair * pair)
{
    struct iovec pieces[2] = { { bytes, 30 }, { bytes + 30, 20 } };

    MUST(agent_write(&pair->agent, pair->peer, 80, 3) == 80, "80 bytes come");
    memset(bytes, 0, sizeof(bytes));
    CHECK_RESULT(flow_readv(pair->fd, pieces, 2), 50, "a part of a message");
    CHECK(holds(bytes, 50, 0, 3), "is its beginning");
    CHECK_RESULT(flow_readv(pair->fd, pieces, 2), 30, "the rest is shorter");
    CHECK(holds(bytes, 30, 50, 3), "and goes on there");

    MUST(agent_write(&pair->agent, pair->peer, 10, 4) == 10, "10 bytes come");
    memset(bytes, 0xee, sizeof(bytes));
    CHECK_RESULT(flow_readv(pair->fd, pieces, 2), 10, "a small message");
    CHECK(holds(bytes, 10, 0, 4), "is in the first piece");
    CHECK(bytes[10] == 0xee && bytes[30] == 0xee, "and nothing beyond");

    fccntl(pair->fd, FLOWSFLAGS, (uint32_t) (FLOWFRDWR | FLOWFRNOPART
                                             | FLOWFRNOBLOCK));
    MUST(agent_write(&pair->agent, pair->peer, 80, 5) == 80, "80 bytes come");
    CHECK_RESULT(flow_readv(pair->fd, pieces, 2), -EMSGSIZE,
                 "FLOWFRNOPART: too large for the pieces");
    CHECK_RESULT(flow_readv(pair->fd, pieces, 2), -EAGAIN, "and lost");
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair pair;

    conformance_begin(argc, argv);

    pair = flow_pair_start("pieces", NULL);
    check_arguments(pair.fd);
    check_both_ways(&pair);
    check_parts(&pair);
    flow_pair_end(&pair);

    return conformance_end();
}
