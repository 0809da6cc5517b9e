/*
 * Ouroboros: flow_dealloc (c-api §5.5)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <signal.h>

/* Wrong descriptors are the business of descriptors.c. */

static void check_twice(void)
{
    struct flow_pair pair = flow_pair_start("twice", NULL);

    CHECK_RESULT(flow_dealloc(pair.fd), 0, "a flow is deallocated");
    CHECK_RESULT(flow_dealloc(pair.fd), -ENOTALLOC, "but not twice");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 10, 0), -EFLOWDOWN,
                 "its other end is down");
    CHECK_RESULT(agent_on(&pair.agent, AGENT_DEALLOC, pair.peer), 0,
                 "and can be deallocated");
    agent_end(&pair.agent);
}

/* SHOULD of c-api §5.5: never hang; the messages still arrive. */
static void check_unread(const qosspec_t * qos,
                         const char *      what)
{
    struct flow_pair pair = flow_pair_start(what, qos);
    int              sent;

    for (sent = 0; sent < 500; sent++)
        if (write_message(pair.fd, 1000, (unsigned) sent) != 1000)
            break;
    CHECK_RESULT(sent, 500, "%s: 500 messages go, none is read", what);
    CHECK_RESULT(flow_dealloc(pair.fd), 0,
                 "%s: the flow is deallocated nevertheless", what);
    CHECK_RESULT(agent_many(&pair.agent, AGENT_RECEIVE, pair.peer, 500, 1000,
                            0), 500, "%s: all are read afterwards", what);
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 10, 0), -EFLOWDOWN,
                 "%s: then the flow is down", what);
    agent_end(&pair.agent);
}

static void check_stopped(void)
{
    struct flow_pair pair = flow_pair_start("stopped", &qos_data);

    kill(pair.agent.pid, SIGSTOP);
    CHECK_RESULT(write_message(pair.fd, 1000, 1), 1000,
                 "a message goes to a stopped process");
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the flow to it is deallocated");
    kill(pair.agent.pid, SIGCONT);
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 2000, 1), 1000,
                 "it reads the message when it goes on");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 10, 0), -EFLOWDOWN,
                 "and then that the flow is down");
    agent_end(&pair.agent);
}

static void check_dead(void)
{
    struct flow_pair pair = flow_pair_start("dead", &qos_data);

    CHECK_RESULT(write_message(pair.fd, 1000, 1), 1000, "a message goes");
    agent_kill(&pair.agent);
    CHECK_RESULT(flow_dealloc(pair.fd), 0,
                 "the flow to a killed process is deallocated");

    pair = flow_pair_start("exited", &qos_data);
    CHECK_RESULT(agent_on(&pair.agent, AGENT_EXIT, -1), 0, "a process exits");
    agent_end(&pair.agent);
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the flow to it is deallocated");
}

/* With the linger flag set or not, which only matters between hosts. */
static void check_linger(void)
{
    struct flow_pair pair = flow_pair_start("linger", &qos_data);

    CHECK_RESULT(fccntl(pair.fd, FRCTSFLAGS, FRCTFRESCNTL | FRCTFLINGER), 0,
                 "a flow lingers");
    CHECK_RESULT(write_message(pair.fd, 1000, 1), 1000, "a message goes");
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the flow is deallocated");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 2000, 1), 1000,
                 "the message is read");
    agent_end(&pair.agent);
}

static void check_twice_from_both(void)
{
    struct flow_pair pair = flow_pair_start("both", NULL);

    agent_begin(&pair.agent, agent_command(AGENT_DEALLOC, pair.peer));
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "both ends deallocate at once");
    CHECK_RESULT(agent_finish(&pair.agent).result, 0, "both succeed");
    agent_end(&pair.agent);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_twice();
    check_unread(NULL, "raw");
    check_unread(&qos_data, "in order");
    check_stopped();
    check_dead();
    check_linger();
    check_twice_from_both();

    return conformance_end();
}
