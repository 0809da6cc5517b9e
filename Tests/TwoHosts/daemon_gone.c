/*
 * Ouroboros: a daemon of host two is killed, or one of host one, as the
 * argument says. The ends on its own host are told at once. The others are told
 * by an IPCP that ends because its irmd has gone; of one that was killed they
 * learn after the peer timeout. run starts the daemons again.
 *
 * usage: daemon_gone ipcp|irmd one|two
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"

#include <signal.h>

static char byte;

static bool is_gone(void * argument)
{
    return kill(*(const pid_t *) argument, 0) != 0;
}

static struct flow_pair pair_of(const char *      tag,
                                const qosspec_t * qos)
{
    char name[32];

    snprintf(name, sizeof(name), "two.%s", tag);
    return pair_to_two(name, qos);
}

int main(int     argc,
         char ** argv)
{
    qosspec_t        qos = raw_with_timeout(TIMEOUT);
    struct flow_pair reading;
    struct flow_pair idle;
    struct timespec  limit = { 1, 0 };
    bool             is_ipcp;
    bool             is_two;
    pid_t            victim;
    pid_t            ipcp;
    long long        here;
    long long        there;

    hosts_begin(argc, argv);
    MUST(argc == 3, "the arguments say what is killed");
    is_ipcp = strcmp(argv[1], "ipcp") == 0;
    is_two = strcmp(argv[2], "two") == 0;

    reading = pair_of("reading", &qos);
    idle = pair_of("idle", &qos);
    ipcp = ipcp_of(is_two ? TWO : ONE);
    victim = is_ipcp ? ipcp : irmd_of(is_two ? TWO : ONE);
    MUST(victim > 0 && ipcp > 0, "there is a daemon to kill");

    agent_begin(&reading.agent, agent_messages(AGENT_READ, reading.peer, 1, 10,
                                               0));
    agent_sleep(&reading.agent);
    kill(victim, SIGKILL);

    here = flow_read(reading.fd, &byte, 1);
    there = agent_finish(&reading.agent).result;
    CHECK_RESULT(is_two ? there : here, -EFLOWDOWN,
                 "on its own host a reader is told that the flow is down");
    CHECK_RESULT(is_two ? here : there, is_ipcp ? -EFLOWPEER : -EFLOWDOWN,
                 "on the other one that the peer is silent, or has gone");
    here = flow_write(idle.fd, &byte, 1);
    while (!is_two && here == 1)
        here = flow_write(idle.fd, &byte, 1);
    there = agent_write(&idle.agent, idle.peer, 1, 1);
    while (is_two && there == 1)
        there = agent_write(&idle.agent, idle.peer, 1, 1);
    CHECK_RESULT(is_two ? there : here, -EFLOWDOWN,
                 "on its own host a writer is told, too");
    CHECK(is_two ? here == -EFLOWPEER || here == -EFLOWDOWN || here == 1
                 : there == -EFLOWPEER || there == -EFLOWDOWN || there == 1,
          "on the other one, when it has found out (%lld)",
          is_two ? here : there);

    wait_for(is_gone, &ipcp);
    CHECK(true, "the IPCP has gone");

    if (is_ipcp && !is_two) {
        here = flow_alloc("two.reading", NULL, &limit);
        CHECK(here == -EIPCP || here == -ENAME,
              "without it there is no way to other hosts (%lld)", here);
    } else if (!is_ipcp && !is_two) {
        CHECK_RESULT(flow_alloc("two.reading", NULL, &limit), -EIRMD,
                     "without irmd there are no flows");
    } else {
        CHECK_RESULT(flow_alloc("two.reading", NULL, &limit), -ETIMEDOUT,
                     "a host without it does not answer");
    }

    flow_pair_end(&reading);
    flow_pair_end(&idle);
    return conformance_end();
}
