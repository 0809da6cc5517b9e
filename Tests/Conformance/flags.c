/*
 * Ouroboros: flags of a flow (c-api §6)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

static char byte;

static long long flags_of(int fd)
{
    uint32_t flags = 0xFFFFFFFF;
    int      result = fccntl(fd, FLOWGFLAGS, &flags);

    return result == 0 ? (long long) flags : result;
}

static void check_default(void)
{
    struct flow_pair pair = flow_pair_start("default", NULL);

    CHECK_RESULT(flags_of(pair.fd), 020002, "flags of an allocated flow");
    CHECK_RESULT(agent_on(&pair.agent, AGENT_GET_FLAGS, pair.peer), 020002,
                 "flags of an accepted flow");
    flow_pair_end(&pair);
}

/* Issue 2: flags read back as set. FLOWSFLAGS replaces all of them. */
static void check_read_back(void)
{
    const uint32_t   flags[] = {
        FLOWFRDONLY, FLOWFWRONLY, FLOWFRDWR, FLOWFRDWR | FLOWFRNOBLOCK,
        FLOWFRDWR | FLOWFWNOBLOCK, FLOWFRDWR | FLOWFNONBLOCK,
        FLOWFRDWR | FLOWFRNOPART, FLOWFRDWR | FLOWFWNOPART,
        FLOWFRDWR | FLOWFDOWN, FLOWFDEFAULT
    };
    struct flow_pair pair = flow_pair_start("read-back", NULL);
    size_t           i;

    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, flags[i]), 0, "flags 0%o",
                     flags[i]);
        CHECK_RESULT(flags_of(pair.fd), flags[i], "read back as set");
    }
    CHECK_RESULT(agent_on(&pair.agent, AGENT_GET_FLAGS, pair.peer),
                 FLOWFDEFAULT, "the other end has flags of its own");

    /* SHOULD: the prototype accepts it. */
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFINVALID), -EINVAL,
                 "both kinds of \"only\"");
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFINVALID | FLOWFRNOBLOCK),
                 -EINVAL, "both kinds of \"only\" and another flag");
    CHECK_RESULT(flags_of(pair.fd), FLOWFDEFAULT, "change nothing");
    flow_pair_end(&pair);
}

/* SHOULD: the prototype cannot go back. */
static void check_write_only(void)
{
    struct flow_pair pair = flow_pair_start("write-only", NULL);

    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFWRONLY), 0,
                 "a flow is made write-only");
    CHECK(agent_write(&pair.agent, pair.peer, 10, 1) < 0,
          "its other end cannot write");
    CHECK_RESULT(write_message(pair.fd, 10, 2), 10, "this end can");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 100, 2), 10,
                 "and the other end reads");
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT), 0,
                 "the flow is as before");
    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 10, 3), 10,
                 "its other end writes again");
    CHECK_RESULT(read_message(pair.fd, 100, 3), 10, "and this one reads");
    flow_pair_end(&pair);
}

/* The type of the agent's next event if it is of the flow, or an error. */
static long long next_type(struct flow_pair *   pair,
                           int64_t              milliseconds)
{
    struct agent_command command = agent_command(AGENT_EVENT, -1);
    struct agent_answer  answer;

    command.milliseconds = milliseconds;
    answer = agent_call(&pair->agent, command);
    if (answer.result == pair->peer)
        return answer.value;

    return answer.result < 0 ? answer.result : AGENT_GONE;
}

/* SHOULD: FLOW_UP only where the flow was down. */
static void check_events(void)
{
    struct flow_pair pair = flow_pair_start("events", NULL);
    int              round;

    MUST(agent_on(&pair.agent, AGENT_WATCH, pair.peer) == 0,
         "the other end is in a set");

    fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFRNOBLOCK);
    fccntl(pair.fd, FLOWSFLAGS, FLOWFRDONLY);
    fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT);
    fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT);
    MUST(write_message(pair.fd, 10, 1) == 10, "a message goes");
    CHECK_RESULT(next_type(&pair, -1), FLOW_PKT,
                 "changes of other flags make no event");
    CHECK_RESULT(next_type(&pair, 0), -ETIMEDOUT, "none at all");

    for (round = 0; round < 3; round++) {
        CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFDOWN), 0,
                     "the flow is taken down");
        CHECK_RESULT(next_type(&pair, -1), FLOW_DOWN, "FLOW_DOWN comes");
        fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFDOWN | FLOWFRNOBLOCK);
        CHECK_RESULT(next_type(&pair, 0), -ETIMEDOUT, "once");
        CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT), 0,
                     "the flow is taken up");
        CHECK_RESULT(next_type(&pair, -1), FLOW_UP, "FLOW_UP comes");
        fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT);
        CHECK_RESULT(next_type(&pair, 0), -ETIMEDOUT, "once");
    }

    CHECK_RESULT(write_message(pair.fd, 10, 2), 10, "then a message goes");
    CHECK_RESULT(next_type(&pair, -1), FLOW_PKT, "the event is a message's");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 100, 1), 10,
                 "no message was lost: the first");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 100, 2), 10, "the second");
    flow_pair_end(&pair);
}

/* SHOULD: the prototype forgets that the peer has gone. */
static void check_peer_state(void)
{
    struct flow_pair pair = flow_pair_start("peer-state", NULL);

    CHECK_RESULT(agent_on(&pair.agent, AGENT_DEALLOC, pair.peer), 0,
                 "the other end is deallocated");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN, "the flow is down");
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT), 0, "flags are set");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "the flow stays down for a reader");
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), -EFLOWDOWN, "and a writer");
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFDOWN), 0,
                 "it is taken down too");
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT), 0, "and up");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "which does not bring back the peer");
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_default();
    check_read_back();
    check_write_only();
    check_events();
    check_peer_state();

    return conformance_end();
}
