/*
 * Ouroboros: results of flow_write (c-api §5.6)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

static char byte;

static void check_arguments(int fd)
{
    CHECK_RESULT(flow_write(fd, NULL, 1), -EINVAL, "a buffer of NULL");
    CHECK_RESULT(flow_write(fd, NULL, 0), 0, "of NULL and length zero");
    CHECK_RESULT(flow_write(fd, &byte, 0), 0, "a length of zero");
}

static void check_sizes(struct flow_pair * pair)
{
    const size_t sizes[] = { 1, 2, 7, 8, 55, 56, 57, 63, 64, 65, 1500, 4095,
                             4096, 4097, 65536, 262144, 900000, 1048256,
                             1048576, 2097145, 4194232, 4194296, 4194297,
                             9000000, 16777215, 16777216 };
    size_t       i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        CHECK_RESULT(write_message(pair->fd, sizes[i], (unsigned) i),
                     (long long) sizes[i], "%zu bytes go", sizes[i]);
        CHECK_RESULT(agent_read(&pair->agent, pair->peer, LARGEST,
                                (unsigned) i),
                     (long long) sizes[i], "and arrive as one message");
    }
}

/*
 * flow-memory §2: 16 MiB; the row has 1,048,256. A length of (size_t) -1 is a
 * SHOULD.
 */
static void check_too_large(struct flow_pair * pair)
{
    size_t longest = 0;

    CHECK_RESULT(fccntl(pair->fd, FLOWGMAXMSG, &longest), 0,
                 "the flow tells its longest message");
    CHECK(longest == (size_t) 16 << 20, "which has 16 MiB");
    CHECK_RESULT(fccntl(pair->fd, FLOWGMAXMSG, NULL), -EINVAL,
                 "but there must be a place for it");
    CHECK_RESULT(write_message(pair->fd, longest + 1, 0), -EMSGSIZE,
                 "a byte more");
    CHECK_RESULT(write_message(pair->fd, LARGEST, 0), -EMSGSIZE, "17 MiB");
    CHECK_RESULT(flow_write(pair->fd, &byte, SIZE_MAX / 2), -EMSGSIZE,
                 "half of all there is");
    CHECK_RESULT(flow_write(pair->fd, &byte, SIZE_MAX - 7), -EMSGSIZE,
                 "a length that overflows when a header is added");
    CHECK_RESULT(flow_write(pair->fd, &byte, SIZE_MAX), -EMSGSIZE,
                 "a length of (size_t) -1");
    CHECK_RESULT(write_message(pair->fd, 10, 5), 10, "the flow still works");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 100, 5), 10,
                 "and nothing else went");
}

static void check_empty(struct flow_pair * pair)
{
    int i;

    for (i = 0; i < 100; i++)
        if (flow_write(pair->fd, NULL, 0) != 0)
            break;
    CHECK_RESULT(i, 100, "100 empty messages go");
    CHECK_RESULT(write_message(pair->fd, 3, 9), 3, "then one that is not");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 100, 9), 3,
                 "the reader sees only that");
}

static void check_read_only(struct flow_pair * pair)
{
    CHECK_RESULT(fccntl(pair->fd, FLOWSFLAGS, FLOWFRDONLY | FLOWFWNOPART), 0,
                 "a flow is made read-only");
    CHECK_RESULT(flow_write(pair->fd, &byte, 1), -EPERM, "it does not write");
    CHECK_RESULT(agent_write(&pair->agent, pair->peer, 10, 1), 10,
                 "its other end does");
    CHECK_RESULT(read_message(pair->fd, 100, 1), 10, "and it reads");
    CHECK_RESULT(fccntl(pair->fd, FLOWSFLAGS, FLOWFDEFAULT), 0,
                 "the flow is as before");
    CHECK_RESULT(write_message(pair->fd, 10, 2), 10, "it writes again");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 100, 2), 10,
                 "and the other end reads");
}

/* SHOULD and issue 2: no silent loss; the row has count. */
static void check_down(void)
{
    struct flow_pair pair = flow_pair_start("down", NULL);

    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFDOWN), 0,
                 "a flow is taken down");
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), -EFLOWDOWN,
                 "it does not write");
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT), 0,
                 "and taken up again");
    CHECK_RESULT(write_message(pair.fd, 10, 1), 10, "it writes");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 100, 1), 10,
                 "and what was written arrives");

    CHECK_RESULT(agent_on(&pair.agent, AGENT_DEALLOC, pair.peer), 0,
                 "the other end is deallocated");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "which this end learns");
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), -EFLOWDOWN,
                 "it does not write");
    CHECK_RESULT(flow_write(pair.fd, NULL, 1), -EINVAL,
                 "a buffer of NULL is wrong on a dead flow too");
    flow_pair_end(&pair);
}

static void check_quality(const char *      what,
                          const qosspec_t * qos)
{
    struct flow_pair pair = flow_pair_start(what, qos);

    note("%s", what);
    check_arguments(pair.fd);
    check_sizes(&pair);
    check_too_large(&pair);
    check_empty(&pair);
    check_read_only(&pair);
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_quality("raw", NULL);
    check_quality("data", &qos_data);
    check_down();

    return conformance_end();
}
