/*
 * Ouroboros: binding processes to names (c-api §9)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include "management.h"

static void check_arguments(void)
{
    pid_t dead = fork();

    if (dead == 0)
        _exit(0);
    child_result(dead);

    CHECK_RESULT(irm_bind_process(getpid(), NULL), -EINVAL, "bind to NULL");
    CHECK_RESULT(irm_bind_process(dead, own_name("dead")), -1,
                 "bind a process that is no more");
    CHECK(irm_bind_process(-1, own_name("dead")) < 0, "bind pid -1");
    CHECK(irm_bind_process(0, own_name("dead")) < 0, "bind pid 0");
    CHECK(irm_unbind_process(getpid(), own_name("unknown")) < 0,
          "unbind from a name that does not exist");
}

static void check_life(void)
{
    const char *     name = own_name("life");
    struct agent     agent = agent_start();
    struct name_info info;
    int              fd;
    int              peer;

    CHECK_RESULT(irm_bind_process(agent.pid, name), 0, "a process is bound");
    CHECK(name_listed(name, &info), "which creates the name");
    CHECK_RESULT(info.pol_lb, LB_SPILL, "with spillover");
    CHECK_RESULT(irm_bind_process(agent.pid, name), -1, "but not twice");
    flow_pair_more(&agent, name, NULL, &fd, &peer);
    CHECK(fd >= FIRST_FD, "it accepts flows for the name");
    flow_dealloc(fd);
    agent_on(&agent, AGENT_DEALLOC, peer);

    CHECK_RESULT(irm_unbind_process(agent.pid, name), 0, "it is unbound");
    CHECK_RESULT(irm_unbind_process(agent.pid, name), -1, "but not twice");
    CHECK(name_listed(name, &info), "the name stays");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -EIPCP, "nobody serves it");

    CHECK_RESULT(irm_bind_process(agent.pid, name), 0, "it is bound again");
    flow_pair_more(&agent, name, NULL, &fd, &peer);
    CHECK(fd >= FIRST_FD, "and accepts again");
    flow_dealloc(fd);
    irm_destroy_name(name);
    agent_end(&agent);
}

/* SHOULD: the prototype cannot be told to unbind all. */
static void check_unbind_all(void)
{
    const char * names[2] = { own_name("one"), own_name("two") };
    struct agent agent = agent_start();
    int          i;

    for (i = 0; i < 2; i++)
        REQUIRE(agent_bind(&agent, names[i]) == 0, "a name is bound");
    CHECK_RESULT(irm_unbind_process(agent.pid, NULL), 0,
                 "a process is unbound from all names");
    for (i = 0; i < 2; i++) {
        CHECK_RESULT(flow_alloc(names[i], NULL, NULL), -EIPCP,
                     "nobody serves name %d", i);
        irm_destroy_name(names[i]);
    }
    agent_end(&agent);
}

/* flow-memory §5: any live process of the caller's, attached or not. */
static void check_stranger(void)
{
    const char * name = own_name("stranger");
    int          stop[2];
    pid_t        pid;

    MUST(pipe(stop) == 0, "a pipe");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        close(stop[1]);
        dup2(stop[0], STDIN_FILENO);
        execlp("cat", "cat", (char *) NULL);
        _exit(127);
    }
    close(stop[0]);
    CHECK_RESULT(irm_bind_process(pid, name), 0,
                 "a process that does not use the library is bound");
    CHECK_RESULT(irm_unbind_process(pid, name), 0, "and unbound");
    close(stop[1]);
    child_result(pid);
    irm_destroy_name(name);
}

/* Destroying a name ends bindings; flows stay. */
static void check_destroyed(void)
{
    const char *     name = own_name("gone");
    struct flow_pair pair = flow_pair_start("stays", NULL);

    REQUIRE(agent_bind(&pair.agent, name) == 0, "an agent is bound");
    CHECK_RESULT(irm_destroy_name(name), 0, "its name is destroyed");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -ENAME, "it is unknown");
    CHECK_RESULT(name_create(name), 0, "and created again");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -EIPCP, "with no bindings");
    irm_destroy_name(name);

    CHECK_RESULT(irm_destroy_name(own_name("stays")), 0,
                 "a name with a flow is destroyed");
    CHECK_RESULT(write_message(pair.fd, 10, 1), 10, "the flow stays");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 100, 1), 10, "and works");
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_arguments();
    check_life();
    check_unbind_all();
    check_stranger();
    check_destroyed();

    return conformance_end();
}
