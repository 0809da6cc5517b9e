/*
 * Ouroboros: signals during calls (c-api §10, flow-memory §3)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <poll.h>
#include <signal.h>

/*
 * Send the signal until the agent's call is over: one that comes just before
 * the call sleeps is handled, and the call none the wiser.
 */
static struct agent_answer interrupted(const struct agent * agent)
{
    struct pollfd answer = { agent->answers, POLLIN, 0 };

    do {
        kill(agent->pid, SIGUSR1);
    } while (poll(&answer, 1, 20) == 0);

    return agent_finish(agent);
}

static void handle(const struct agent * agent,
                   int                  flags)
{
    struct agent_command command = agent_command(AGENT_HANDLE, -1);

    command.value = (uint32_t) flags;
    MUST(agent_call(agent, command).result == 0, "the agent has a handler");
}

static void check_interrupted(void)
{
    struct flow_pair     pair = flow_pair_start("interrupted", NULL);
    const char *         name = own_name("never");
    struct agent         server = agent_start();
    struct agent_command command;
    struct timespec      zero = { 0, 0 };

    handle(&pair.agent, 0);
    command = agent_command(AGENT_READ, pair.peer);
    command.size = 100;
    agent_begin(&pair.agent, command);
    agent_sleep(&pair.agent);
    CHECK_RESULT(interrupted(&pair.agent).result, -EINTR, "flow_read");

    agent_begin(&pair.agent, agent_command(AGENT_ACCEPT, -1));
    agent_sleep(&pair.agent);
    CHECK_RESULT(interrupted(&pair.agent).result, -EINTR, "flow_accept");

    MUST(agent_on(&pair.agent, AGENT_WATCH, pair.peer) == 0, "a set");
    agent_begin(&pair.agent, agent_command(AGENT_EVENT, -1));
    agent_sleep(&pair.agent);
    CHECK_RESULT(interrupted(&pair.agent).result, -EINTR, "fevent");

    MUST(agent_bind(&server, name) == 0, "a server is bound");
    agent_begin(&pair.agent, agent_naming(AGENT_ALLOC, name));
    agent_sleep(&pair.agent);
    CHECK_RESULT(interrupted(&pair.agent).result, -EINTR, "flow_alloc");
    command = agent_command(AGENT_ACCEPT, -1);
    command.milliseconds = 0;
    CHECK_RESULT(agent_call(&server, command).result, -ETIMEDOUT,
                 "of which nothing remains at the server");

    MUST(agent_set_flags(&pair.agent, pair.peer, FLOWFDEFAULT | FLOWFWNOBLOCK)
         == 0, "the agent does not wait");
    agent_many(&pair.agent, AGENT_SEND, pair.peer, 1000000, 1000, 0);
    MUST(agent_set_flags(&pair.agent, pair.peer, FLOWFDEFAULT) == 0, "it does");
    command = agent_command(AGENT_WRITE, pair.peer);
    command.size = 1000;
    agent_begin(&pair.agent, command);
    agent_sleep(&pair.agent);
    CHECK_RESULT(interrupted(&pair.agent).result, -EINTR, "flow_write");

    /* Whatever was interrupted, everything works afterwards. */
    CHECK_RESULT(read_message(pair.fd, 2000, 0), 1000, "the flow works");
    MUST(agent_bind(&pair.agent, own_name("after")) == 0, "a name");
    agent_begin(&pair.agent, agent_command(AGENT_ACCEPT, -1));
    CHECK(flow_alloc(own_name("after"), NULL, NULL) > pair.fd,
          "so does an allocation");
    CHECK(agent_finish(&pair.agent).result > pair.peer, "and an accept");
    CHECK_RESULT(flow_accept(NULL, &zero), -ETIMEDOUT, "nothing is left over");
    agent_end(&server);
    flow_pair_end(&pair);
}

static void check_restarted(void)
{
    struct flow_pair     pair = flow_pair_start("restarted", NULL);
    const char *         name = own_name("later");
    struct agent_command command = agent_command(AGENT_READ, pair.peer);
    int                  round;

    handle(&pair.agent, SA_RESTART);
    command.size = 100;
    command.seed = 1;
    agent_begin(&pair.agent, command);
    for (round = 0; round < 10; round++) {
        agent_sleep(&pair.agent);
        kill(pair.agent.pid, SIGUSR1);
    }
    MUST(write_message(pair.fd, 50, 1) == 50, "a message goes");
    CHECK_RESULT(agent_finish(&pair.agent).result, 50,
                 "flow_read goes on after handlers with SA_RESTART");
    CHECK(agent_on(&pair.agent, AGENT_HANDLED, -1) > 0, "which ran");

    MUST(agent_bind(&pair.agent, name) == 0, "a name");
    agent_begin(&pair.agent, agent_command(AGENT_ACCEPT, -1));
    for (round = 0; round < 10; round++) {
        agent_sleep(&pair.agent);
        kill(pair.agent.pid, SIGUSR1);
    }
    CHECK(flow_alloc(name, NULL, NULL) > pair.fd, "a flow is allocated");
    CHECK(agent_finish(&pair.agent).result > pair.peer,
          "flow_accept goes on as well");
    flow_pair_end(&pair);
}

/* A time limit is neither shortened nor begun anew by signals. */
static void check_timeout(void)
{
    struct flow_pair     pair = flow_pair_start("timeout", NULL);
    struct agent_command command = agent_command(AGENT_SET_RCVTIMEO, pair.peer);
    struct pollfd        answer = { pair.agent.answers, POLLIN, 0 };
    struct agent_answer  result;

    command.milliseconds = 500;
    MUST(agent_call(&pair.agent, command).result == 0, "a time limit");
    handle(&pair.agent, SA_RESTART);
    command = agent_command(AGENT_READ, pair.peer);
    command.size = 100;
    agent_begin(&pair.agent, command);
    while (poll(&answer, 1, 20) == 0)
        kill(pair.agent.pid, SIGUSR1);
    result = agent_finish(&pair.agent);
    CHECK_RESULT(result.result, -ETIMEDOUT,
                 "a read with a time limit ends though signals keep coming");
    CHECK(result.lasted >= 500, "and not early");
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_interrupted();
    check_restarted();
    check_timeout();

    return conformance_end();
}
