/*
 * Ouroboros: waiting in flow_read (c-api §5.7)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

static char byte;

static void check_no_block(void)
{
    struct flow_pair pair = flow_pair_start("no-block", NULL);

    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFRNOBLOCK), 0,
                 "a reader does not wait");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EAGAIN, "an empty flow");
    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 0, 0), 0,
                 "an empty message");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EAGAIN, "is not seen");
    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 10, 1), 10,
                 "one that is not empty");
    CHECK_RESULT(read_message(pair.fd, 100, 1), 10, "is");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EAGAIN, "and that was all");
    flow_pair_end(&pair);
}

static void check_timeout(void)
{
    const int64_t    limits[] = { 0, 1, 60, 700 };
    struct flow_pair pair = flow_pair_start("timeout", NULL);
    struct timespec  time;
    int64_t          begun;
    size_t           i;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        CHECK_RESULT(fccntl(pair.fd, FLOWSRCVTIMEO, interval(&time, limits[i])),
                     0, "at most %lld ms", (long long) limits[i]);
        begun = now_ms();
        CHECK_RESULT(flow_read(pair.fd, &byte, 1), -ETIMEDOUT,
                     "an empty flow");
        CHECK(now_ms() - begun >= limits[i], "not before they are over");
    }

    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 10, 1), 10, "a message");
    CHECK_RESULT(fccntl(pair.fd, FLOWSRCVTIMEO, interval(&time, 0)), 0,
                 "no time at all");
    CHECK_RESULT(read_message(pair.fd, 100, 1), 10,
                 "is enough for a message that is there");
    flow_pair_end(&pair);
}

/* An empty message neither ends a wait nor counts as a message. */
static void check_empty_message(void)
{
    struct flow_pair     pair = flow_pair_start("empty", NULL);
    struct agent_command command = agent_command(AGENT_READ, pair.peer);

    command.size = 100;
    command.seed = 4;
    agent_begin(&pair.agent, command);
    agent_sleep(&pair.agent);
    CHECK_RESULT(flow_write(pair.fd, NULL, 0), 0,
                 "an empty message to a reader that waits");
    CHECK_RESULT(write_message(pair.fd, 20, 4), 20, "then another");
    CHECK_RESULT(agent_finish(&pair.agent).result, 20,
                 "ends the reader's wait");
    flow_pair_end(&pair);
}

static void check_wakes(const char *      what,
                        const qosspec_t * qos)
{
    struct flow_pair     pair = flow_pair_start(what, qos);
    struct agent_command command = agent_command(AGENT_READ, pair.peer);
    struct agent_answer  answer;
    unsigned             round;

    command.size = 100;
    for (round = 0; round < 20; round++) {
        command.seed = round;
        agent_begin(&pair.agent, command);
        agent_sleep(&pair.agent);
        MUST(write_message(pair.fd, 60, round) == 60, "a message goes");
        answer = agent_finish(&pair.agent);
        CHECK(answer.result == 60 && answer.right,
              "%s: a reader that waits gets message %u", what, round);
    }
    flow_pair_end(&pair);
}

/* SHOULD and issue 2: the prototype's reader sleeps for ever. */
static void check_peer_goes(bool with_timeout)
{
    struct flow_pair     pair = flow_pair_start(with_timeout ? "limit" : "none",
                                                NULL);
    struct agent_command command = agent_command(AGENT_SET_RCVTIMEO, pair.peer);

    if (with_timeout) {
        command.milliseconds = 3600 * 1000;
        REQUIRE(agent_call(&pair.agent, command).result == 0,
                "a reader waits an hour at most");
    }

    command = agent_command(AGENT_READ, pair.peer);
    command.size = 100;
    agent_begin(&pair.agent, command);
    agent_sleep(&pair.agent);
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the writer deallocates");
    CHECK_RESULT(agent_finish(&pair.agent).result, -EFLOWDOWN,
                 "the reader that waited learns that the flow is down");
    agent_end(&pair.agent);
}

/* FLOWFDOWN by another thread or call of this process: here, before. */
static void check_taken_down(void)
{
    struct flow_pair pair = flow_pair_start("taken-down", NULL);

    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFDOWN), 0,
                 "a flow is taken down");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN, "it does not read");
    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT), 0,
                 "and taken up again");
    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 10, 1), 10, "a message");
    CHECK_RESULT(read_message(pair.fd, 100, 1), 10, "is read");
    flow_pair_end(&pair);
}

/* The project's choice: as flow_write on FLOWFRDONLY. No row says it. */
static void check_write_only(void)
{
    struct flow_pair pair = flow_pair_start("write-only", NULL);

    CHECK_RESULT(fccntl(pair.fd, FLOWSFLAGS, FLOWFWRONLY | FLOWFWNOPART), 0,
                 "a flow is made write-only");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EPERM, "it does not read");
    CHECK_RESULT(write_message(pair.fd, 10, 1), 10, "it writes");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 100, 1), 10,
                 "and the other end reads");
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_no_block();
    check_timeout();
    check_empty_message();
    check_wakes("raw", NULL);
    check_wakes("data", &qos_data);
    check_peer_goes(false);
    check_peer_goes(true);
    check_taken_down();
    check_write_only();

    return conformance_end();
}
