/*
 * Ouroboros: commands of fccntl (c-api §6)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

static void check_errors(int fd)
{
    struct timespec wrong = { 0, 1000000000L };
    int             cmd;

    for (cmd = -1; cmd <= 0; cmd++)
        CHECK_RESULT(fccntl(fd, cmd, NULL), -ENOTSUP, "command %d", cmd);
    CHECK_RESULT(fccntl(fd, FLOWGTXQLEN + 1, NULL), -ENOTSUP,
                 "a command after the last one");
    CHECK_RESULT(fccntl(fd, 04000, NULL), -ENOTSUP, "command 04000");

    CHECK_RESULT(fccntl(fd, FLOWGRCVTIMEO, NULL), -EINVAL,
                 "FLOWGRCVTIMEO into NULL");
    CHECK_RESULT(fccntl(fd, FLOWGSNDTIMEO, NULL), -EINVAL,
                 "FLOWGSNDTIMEO into NULL");
    CHECK_RESULT(fccntl(fd, FLOWGQOSSPEC, NULL), -EINVAL,
                 "FLOWGQOSSPEC into NULL");
    CHECK_RESULT(fccntl(fd, FLOWGFLAGS, NULL), -EINVAL, "FLOWGFLAGS into NULL");
    /* SHOULD: the prototype crashes. */
    CHECK_RESULT(fccntl(fd, FLOWGRXQLEN, NULL), -EINVAL,
                 "FLOWGRXQLEN into NULL");
    CHECK_RESULT(fccntl(fd, FLOWGTXQLEN, NULL), -EINVAL,
                 "FLOWGTXQLEN into NULL");

    /* No row: what is no interval is no argument. */
    CHECK_RESULT(fccntl(fd, FLOWSRCVTIMEO, &wrong), -EINVAL,
                 "an interval with 10^9 ns");
    wrong.tv_sec = -1;
    wrong.tv_nsec = 0;
    CHECK_RESULT(fccntl(fd, FLOWSSNDTIMEO, &wrong), -EINVAL,
                 "a negative interval");
}

static void check_timeout(int          fd,
                          int          set,
                          int          get,
                          const char * what)
{
    struct timespec given = { 12, 345678901 };
    struct timespec time = { 0, 0 };

    CHECK_RESULT(fccntl(fd, get, &time), -EPERM, "%s: none is set", what);
    CHECK_RESULT(fccntl(fd, set, &given), 0, "%s: one is set", what);
    CHECK_RESULT(fccntl(fd, get, &time), 0, "%s: it can be asked for", what);
    CHECK(time.tv_sec == 12 && time.tv_nsec == 345678901,
          "%s: it is what was set", what);
    CHECK_RESULT(fccntl(fd, set, NULL), 0, "%s: it is cleared", what);
    CHECK_RESULT(fccntl(fd, get, &time), -EPERM, "%s: none is set again", what);

    given.tv_sec = 0;
    given.tv_nsec = 0;
    CHECK_RESULT(fccntl(fd, set, &given), 0, "%s: one of zero is set", what);
    CHECK_RESULT(fccntl(fd, get, &time), 0, "%s: it can be asked for", what);
    CHECK(time.tv_sec == 0 && time.tv_nsec == 0, "%s: it is zero", what);
    CHECK_RESULT(fccntl(fd, set, NULL), 0, "%s: it is cleared", what);
}

/* The two limits are two things. */
static void check_timeouts(int fd)
{
    struct timespec receive = { 1, 0 };
    struct timespec departs = { 2, 0 };
    struct timespec time;

    check_timeout(fd, FLOWSRCVTIMEO, FLOWGRCVTIMEO, "receive timeout");
    check_timeout(fd, FLOWSSNDTIMEO, FLOWGSNDTIMEO, "send timeout");

    fccntl(fd, FLOWSRCVTIMEO, &receive);
    CHECK_RESULT(fccntl(fd, FLOWGSNDTIMEO, &time), -EPERM,
                 "a receive timeout is no send timeout");
    fccntl(fd, FLOWSSNDTIMEO, &departs);
    CHECK(fccntl(fd, FLOWGRCVTIMEO, &time) == 0 && time.tv_sec == 1,
          "nor the other way round");
    fccntl(fd, FLOWSRCVTIMEO, NULL);
    fccntl(fd, FLOWSSNDTIMEO, NULL);
}

static long long queued(int fd,
                        int cmd)
{
    size_t count = 999;
    int    result = fccntl(fd, cmd, &count);

    return result == 0 ? (long long) count : result;
}

static void check_queues(struct flow_pair * pair)
{
    int i;

    CHECK_RESULT(queued(pair->fd, FLOWGRXQLEN), 0, "nothing is to be read");
    CHECK_RESULT(queued(pair->fd, FLOWGTXQLEN), 0, "nor on its way");

    for (i = 0; i < 3; i++)
        MUST(write_message(pair->fd, 100, 1) == 100, "a message goes");
    CHECK_RESULT(queued(pair->fd, FLOWGTXQLEN), 3, "3 messages are on the way");
    CHECK_RESULT(queued(pair->fd, FLOWGRXQLEN), 0, "none of them to here");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 200, 1), 100,
                 "one is read");
    CHECK_RESULT(queued(pair->fd, FLOWGTXQLEN), 2, "2 are on the way");

    MUST(agent_many(&pair->agent, AGENT_SEND, pair->peer, 5, 100, 7) == 5,
         "messages come");
    CHECK_RESULT(queued(pair->fd, FLOWGRXQLEN), 5, "5 are to be read");
    CHECK_RESULT(read_message(pair->fd, 200, 7), 100, "one is read");
    CHECK_RESULT(queued(pair->fd, FLOWGRXQLEN), 4, "4 are to be read");
    CHECK_RESULT(queued(pair->fd, FLOWGTXQLEN), 2, "the others are as before");
    for (i = 1; i < 5; i++)
        MUST(read_message(pair->fd, 200, 7 + (unsigned) i) == 100, "a read");
    CHECK_RESULT(queued(pair->fd, FLOWGRXQLEN), 0, "all are read");
}

/* Wrong descriptors are the business of descriptors.c; this one was right. */
static void check_closed(void)
{
    struct flow_pair pair = flow_pair_start("closed", NULL);
    struct timespec  time = { 1, 0 };
    size_t           count;

    flow_dealloc(pair.fd);
    CHECK_RESULT(fccntl(pair.fd, FLOWSRCVTIMEO, &time), -ENOTALLOC,
                 "FLOWSRCVTIMEO of a flow that is no more");
    CHECK_RESULT(fccntl(pair.fd, FLOWGRXQLEN, &count), -ENOTALLOC,
                 "FLOWGRXQLEN of a flow that is no more");
    CHECK_RESULT(fccntl(pair.fd, FRCTSFLAGS, 2), -ENOTALLOC,
                 "FRCTSFLAGS of a flow that is no more");
    agent_end(&pair.agent);
}

/* A new flow on an old descriptor inherits nothing. */
static void check_fresh(void)
{
    const char *     name = own_name("again");
    struct flow_pair pair = flow_pair_start("fresh", NULL);
    struct timespec  time = { 1, 0 };
    uint32_t         flags = 0;
    int              fd = pair.fd;

    fccntl(fd, FLOWSRCVTIMEO, &time);
    fccntl(fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFNONBLOCK);
    flow_dealloc(fd);
    MUST(agent_bind(&pair.agent, name) == 0, "another name");
    flow_pair_more(&pair.agent, name, NULL, &pair.fd, &pair.peer);
    CHECK_RESULT(pair.fd, fd, "the next flow has the descriptor");
    CHECK_RESULT(fccntl(fd, FLOWGRCVTIMEO, &time), -EPERM, "but no timeout");
    CHECK_RESULT(fccntl(fd, FLOWGFLAGS, &flags), 0, "and its flags");
    CHECK_RESULT(flags, FLOWFDEFAULT, "are those of a new flow");
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair pair;

    conformance_begin(argc, argv);

    pair = flow_pair_start("commands", NULL);
    check_errors(pair.fd);
    check_timeouts(pair.fd);
    check_queues(&pair);
    flow_pair_end(&pair);
    check_closed();
    check_fresh();

    return conformance_end();
}
