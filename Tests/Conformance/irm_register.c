/*
 * Ouroboros: registering names in layers (c-api §9)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include "management.h"

#define NOBODY 0x7FFFFFF0

static void check_arguments(pid_t pid)
{
    const char * name = own_name("exists");

    MUST(name_create(name) == 0, "a name is created");
    CHECK_RESULT(irm_reg_name(NULL, pid), -EINVAL, "register NULL");
    CHECK_RESULT(irm_unreg_name(NULL, pid), -EINVAL, "unregister NULL");
    CHECK_RESULT(irm_reg_name(own_name("unknown"), pid), -ENAME,
                 "register an unknown name");
    CHECK_RESULT(irm_unreg_name(own_name("unknown"), pid), -ENAME,
                 "unregister an unknown name");
    CHECK_RESULT(irm_reg_name(name, NOBODY), -EIPCP,
                 "register with an unknown IPCP");
    CHECK_RESULT(irm_unreg_name(name, NOBODY), -EIPCP,
                 "unregister with an unknown IPCP");
    CHECK(irm_reg_name(name, pid) < 0, "register before the IPCP has a layer");
    irm_destroy_name(name);
}

static void check_flow(const char *         name,
                       const struct agent * agent,
                       const char *         what)
{
    int fd;
    int peer;

    flow_pair_more(agent, name, &qos_data, &fd, &peer);
    CHECK_RESULT(write_message(fd, 1000, 1), 1000, "%s: a message goes", what);
    CHECK_RESULT(agent_read(agent, peer, 2000, 1), 1000, "%s: and arrives",
                 what);
    CHECK_RESULT(agent_write(agent, peer, 1000, 2), 1000, "%s: one comes back",
                 what);
    CHECK_RESULT(read_message(fd, 2000, 2), 1000, "%s: and arrives", what);
    CHECK_RESULT(flow_dealloc(fd), 0, "%s: the flow is deallocated", what);
    CHECK_RESULT(agent_on(agent, AGENT_DEALLOC, peer), 0, "%s: at both ends",
                 what);
}

static void check_registered(pid_t pid)
{
    const char * name = own_name("registered");
    struct agent agent = agent_start();

    MUST(name_create(name) == 0, "a name is created");
    CHECK_RESULT(irm_reg_name(name, pid), 0, "it is registered");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -EIPCP,
                 "nobody serves it nevertheless");
    CHECK_RESULT(irm_bind_process(agent.pid, name), 0, "a process is bound");
    check_flow(name, &agent, "registered");
    CHECK_RESULT(irm_unreg_name(name, pid), 0, "it is unregistered");
    CHECK(irm_unreg_name(name, pid) < 0, "but not twice");
    check_flow(name, &agent, "unregistered");
    CHECK_RESULT(irm_reg_name(name, pid), 0, "and registered again");
    CHECK_RESULT(irm_destroy_name(name), 0, "the name is destroyed");
    CHECK_RESULT(irm_unreg_name(name, pid), -ENAME, "which unregisters it");
    agent_end(&agent);
}

/* Names stay when a layer they were registered in goes. */
static void check_layer_ends(pid_t pid)
{
    const char * name = own_name("survivor");
    struct agent agent = agent_start();

    MUST(agent_bind(&agent, name) == 0, "a process is bound");
    CHECK_RESULT(irm_reg_name(name, pid), 0, "its name is registered");
    CHECK_RESULT(ipcp_end(pid), 0, "the layer's IPCP is destroyed");
    CHECK_RESULT(irm_reg_name(name, pid), -EIPCP, "it is unknown now");
    check_flow(name, &agent, "without the layer");
    agent_end(&agent);
}

int main(int     argc,
         char ** argv)
{
    pid_t pid;

    conformance_begin(argc, argv);

    pid = ipcp_start(own_name("ipcp"), IPCP_LOCAL);
    REQUIRE(pid > 0, "a local IPCP is created");
    check_arguments(pid);
    REQUIRE(ipcp_bootstrap_local(pid, own_name("layer")) == 0,
            "and bootstrapped");
    check_registered(pid);
    check_layer_ends(pid);

    return conformance_end();
}
