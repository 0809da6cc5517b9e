/*
 * Ouroboros: time limits of flow_alloc (c-api §5.2)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

/*
 * A server that is alive and bound is waited for, until the client's time is
 * up (flow-memory §6), and no longer: SHOULD, the prototype waits in whole
 * seconds whatever the client says.
 */
static void check_never_early(const char * name)
{
    const int64_t   limits[] = { 1, 30, 250, 1100 };
    struct timespec time;
    int64_t         begun;
    size_t          i;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        begun = now_ms();
        CHECK_RESULT(flow_alloc(name, NULL, interval(&time, limits[i])),
                     -ETIMEDOUT, "%lld ms without an accept",
                     (long long) limits[i]);
        CHECK(now_ms() - begun >= limits[i], "not before they are over");
    }
}

/* SHOULD of c-api §5.2 and issue 2: the server never sees a ghost. */
static void check_no_ghost(const char *         name,
                           const struct agent * agent)
{
    struct timespec      zero = { 0, 0 };
    struct timespec      soon = { 0, 20 * 1000 * 1000 };
    struct agent_command look = agent_command(AGENT_ACCEPT, -1);
    int                  round;
    int                  fd;
    int                  peer;

    for (round = 0; round < 20; round++) {
        flow_alloc(name, NULL, round % 2 == 0 ? &zero : &soon);
    }
    look.milliseconds = 0;
    CHECK_RESULT(agent_call(agent, look).result, -ETIMEDOUT,
                 "after 20 timed-out requests no flow waits to be accepted");

    agent_begin(agent, agent_command(AGENT_ACCEPT, -1));
    agent_sleep(agent);
    CHECK_RESULT(flow_alloc(name, NULL, &zero), -ETIMEDOUT,
                 "a time of zero is over at once, even if a server waits");
    fd = flow_alloc(name, NULL, NULL);
    peer = (int) agent_finish(agent).result;
    REQUIRE(fd >= 0 && peer >= 0, "the next request has the accept");
    CHECK_RESULT(write_message(fd, 50, 3), 50, "a message goes");
    CHECK_RESULT(agent_read(agent, peer, 100, 3), 50,
                 "and arrives: the server's flow is this one");
    CHECK_RESULT(agent_call(agent, look).result, -ETIMEDOUT,
                 "the server got no other");
    flow_dealloc(fd);
}

int main(int     argc,
         char ** argv)
{
    const char * name;
    struct agent agent;

    conformance_begin(argc, argv);

    name = own_name("slow");
    agent = agent_start();
    REQUIRE(agent_bind(&agent, name) == 0, "a server is bound");
    check_never_early(name);
    check_no_ghost(name, &agent);
    agent_end(&agent);

    return conformance_end();
}
