/*
 * Ouroboros: flow_write on a full flow (c-api §5.6)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <signal.h>

/*
 * Issue 2 and flow-memory §2: each flow has its own limit of 1 MiB unread, in
 * place of the prototype's pool that all processes share.
 */

#define MESSAGE 1000

/* Fill the flow without waiting; how many messages went. */
static int fill_up(int    fd,
                   size_t size)
{
    int sent = 0;

    CHECK_RESULT(fccntl(fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFWNOBLOCK), 0,
                 "a writer does not wait");
    while (sent < 1000000
           && write_message(fd, size, (unsigned) sent) == (ssize_t) size)
        sent++;

    CHECK_RESULT(write_message(fd, size, 0), -EAGAIN,
                 "after %d messages of %zu bytes the flow is full", sent, size);
    return sent;
}

static void check_again(void)
{
    struct flow_pair pair = flow_pair_start("again", NULL);
    int              sent = fill_up(pair.fd, MESSAGE);

    CHECK(sent >= 500 && sent <= 4096, "which is about 1 MiB");
    CHECK_RESULT(agent_many(&pair.agent, AGENT_RECEIVE, pair.peer,
                            (uint32_t) sent, MESSAGE, 0), sent,
                 "the reader gets all of them");
    CHECK(fill_up(pair.fd, MESSAGE) >= 500, "then as many go again");
    flow_pair_end(&pair);
}

/* The row: a ring of the prototype has 1,024 packets. */
static void check_small(void)
{
    struct flow_pair pair = flow_pair_start("small", NULL);
    int              sent = fill_up(pair.fd, 1);

    CHECK(sent >= 1024, "1,024 messages of one byte and more");
    CHECK_RESULT(agent_many(&pair.agent, AGENT_RECEIVE, pair.peer,
                            (uint32_t) sent, 1, 0), sent,
                 "the reader gets all of them");
    flow_pair_end(&pair);
}

/* flow-memory §2: a message above the limit enters only an empty ring. */
static void check_large(void)
{
    struct flow_pair pair = flow_pair_start("large", NULL);

    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFWNOBLOCK), 0,
                 "a writer does not wait");
    CHECK_RESULT(write_message(pair.fd, 10, 1), 10, "a small message goes");
    CHECK_RESULT(write_message(pair.fd, 1500000, 2), -EAGAIN,
                 "behind it a very large one does not");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 100, 1), 10,
                 "the small one is read");
    CHECK_RESULT(write_message(pair.fd, 1500000, 2), 1500000,
                 "then the large one goes");
    CHECK_RESULT(write_message(pair.fd, 1500000, 2), -EAGAIN,
                 "and no second one");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, LARGEST, 2), 1500000,
                 "the reader gets it");
    flow_pair_end(&pair);
}

static void check_timeout(void)
{
    const int64_t    limits[] = { 0, 1, 60, 500 };
    struct flow_pair pair = flow_pair_start("timeout", NULL);
    struct timespec  time;
    int64_t          begun;
    size_t           i;

    fill_up(pair.fd, MESSAGE);
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT), 0, "it waits");
    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        CHECK_RESULT(fccntl(pair.fd, FLOWSSNDTIMEO, interval(&time, limits[i])),
                     0, "at most %lld ms", (long long) limits[i]);
        begun = now_ms();
        CHECK_RESULT(write_message(pair.fd, MESSAGE, 0), -ETIMEDOUT,
                     "a full flow");
        CHECK(now_ms() - begun >= limits[i], "not before they are over");
    }
    flow_pair_end(&pair);
}

/* The agent fills the flow and sleeps in a write; the result of that. */
static void begin_blocked(struct flow_pair * pair)
{
    struct agent_command command;
    long long            sent;

    REQUIRE(agent_set_flags(&pair->agent, pair->peer,
                            FLOWFDEFAULT | FLOWFWNOBLOCK) == 0,
            "the agent does not wait");
    sent = agent_many(&pair->agent, AGENT_SEND, pair->peer, 1000000, MESSAGE,
                      0);
    REQUIRE(sent < 1000000, "it fills the flow with %lld messages", sent);
    REQUIRE(agent_set_flags(&pair->agent, pair->peer, FLOWFDEFAULT) == 0,
            "the agent waits");

    command = agent_command(AGENT_WRITE, pair->peer);
    command.size = MESSAGE;
    command.seed = (unsigned) sent;
    agent_begin(&pair->agent, command);
    agent_sleep(&pair->agent);
}

static void check_wakes(void)
{
    struct flow_pair pair = flow_pair_start("wakes", NULL);
    unsigned         seed = 0;
    bool             right = true;

    begin_blocked(&pair);
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFRNOBLOCK), 0,
                 "a reader takes all there is");
    while (read_message(pair.fd, 2 * MESSAGE, seed) == MESSAGE)
        seed++;
    CHECK_RESULT(agent_finish(&pair.agent).result, MESSAGE,
                 "the writer that waited goes on");
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT), 0, "it waits");

    /* Its message may have been among those, or is the last one. */
    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 7, seed + 1), 7,
                 "it writes once more");
    switch (read_message(pair.fd, 2 * MESSAGE, seed)) {
    case MESSAGE:
        right = read_message(pair.fd, 2 * MESSAGE, seed + 1) == 7;
        break;
    case WRONG_BYTES:
        /* All were read already, and this is the short one. */
        break;
    default:
        right = false;
    }
    CHECK(right, "no message is lost");
    flow_pair_end(&pair);
}

/* Issue 2: a blocked writer wakes when its flow or peer goes. */
static void check_peer_goes(void)
{
    struct flow_pair pair = flow_pair_start("goes", NULL);

    begin_blocked(&pair);
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the reader deallocates");
    CHECK_RESULT(agent_finish(&pair.agent).result, -EFLOWDOWN,
                 "the writer that waited learns that the flow is down");
    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 1, 0), -EFLOWDOWN,
                 "and so it stays");
    agent_end(&pair.agent);
}

static void check_isolated(void)
{
    struct flow_pair full = flow_pair_start("full", NULL);
    struct flow_pair other = flow_pair_start("other", NULL);

    fill_up(full.fd, MESSAGE);
    CHECK_RESULT(write_message(other.fd, 1048256, 4), 1048256,
                 "another flow is not affected");
    CHECK_RESULT(agent_read(&other.agent, other.peer, LARGEST, 4), 1048256,
                 "nor is its reader");
    CHECK_RESULT(agent_write(&full.agent, full.peer, 10, 5), 10,
                 "nor is the other direction");
    CHECK_RESULT(read_message(full.fd, 100, 5), 10, "of the full flow");
    flow_pair_end(&full);
    flow_pair_end(&other);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_again();
    check_small();
    check_large();
    check_timeout();
    check_wakes();
    check_peer_goes();
    check_isolated();

    return conformance_end();
}
