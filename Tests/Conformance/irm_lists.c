/*
 * Ouroboros: lists of bindings and flows, and the end of a flow
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"
#include "management.h"

#include <limits.h>

/* The binding to a name; NULL if there is none. The list is kept in *all. */
static const struct bind_list_info * find(const char *            name,
                                          enum bind_type          type,
                                          struct bind_list_info ** all)
{
    ssize_t count = irm_list_bindings(all);
    ssize_t i;

    for (i = 0; i < count; i++)
        if (strcmp((*all)[i].name, name) == 0 && (*all)[i].type == type)
            return &(*all)[i];
    return NULL;
}

static void check_bindings(char * program)
{
    const char *                  name = own_name("bound");
    char *                        argv[] = { "--listen", "", "a b" };
    struct bind_list_info *       all = NULL;
    const struct bind_list_info * row;
    char                          path[PATH_MAX];
    pid_t                         ipcp;

    MUST(realpath(program, path) != NULL, "the program has a path");
    CHECK_RESULT(irm_list_bindings(NULL), -EINVAL, "no place for a list");
    REQUIRE(irm_bind_program(path, name, BIND_AUTO, 3, argv) == 0,
            "a program is bound");
    row = find(name, BIND_PROGRAM, &all);
    REQUIRE(row != NULL, "and listed");
    CHECK(strcmp(row->prog, path) == 0 && row->uid == geteuid(), "whose");
    CHECK(row->opts == BIND_AUTO && row->argc == 3 && row->pid == 0, "how");
    CHECK(strcmp(row->argv[0], "--listen") == 0 && row->argv[1][0] == '\0'
          && strcmp(row->argv[2], "a b") == 0 && row->argv[3] == NULL,
          "with its arguments");
    free(all);

    CHECK_RESULT(irm_bind_process(getpid(), name), 0, "a process is bound");
    row = find(name, BIND_PROCESS, &all);
    REQUIRE(row != NULL, "and listed");
    CHECK(row->pid == getpid() && row->argc == 0 && row->argv[0] == NULL
          && row->opts == 0, "as one");
    free(all);

    ipcp = ipcp_start(own_name("ipcp"), IPCP_LOCAL);
    CHECK_RESULT(irm_bind_process(ipcp, name), 0, "an IPCP is bound");
    row = find(name, BIND_IPCP, &all);
    REQUIRE(row != NULL, "and listed");
    CHECK(row->pid == ipcp && strcmp(row->prog, own_name("ipcp")) == 0,
          "by its name");
    free(all);
    ipcp_end(ipcp);
    irm_destroy_name(name);
    CHECK(find(name, BIND_PROGRAM, &all) == NULL, "nothing is left");
    free(all);
}

static const struct flow_list_info * flow_to(const char *             name,
                                             struct flow_list_info ** all)
{
    ssize_t count = irm_list_flows(all);
    ssize_t i;

    for (i = 0; i < count; i++)
        if (strcmp((*all)[i].name, name) == 0)
            return &(*all)[i];
    return NULL;
}

static void check_flows(void)
{
    const char *                  name = own_name("listed");
    struct agent                  agent = agent_start();
    struct flow_list_info *       all = NULL;
    const struct flow_list_info * row;
    char                          buffer[100];
    uint32_t                      id;
    int                           server;
    int                           fd;

    CHECK_RESULT(irm_list_flows(NULL), -EINVAL, "no place for a list");
    REQUIRE(agent_bind(&agent, name) == 0, "an agent serves a name");
    agent_begin(&agent, agent_command(AGENT_ACCEPT, -1));
    fd = flow_alloc(name, NULL, NULL);
    server = (int) agent_finish(&agent).result;
    REQUIRE(fd >= FIRST_FD && server >= FIRST_FD, "a flow");
    write_message(fd, 10, 1);
    write_message(fd, 20, 2);
    CHECK(agent_write(&agent, server, 5, 3) == 5, "three messages");

    row = flow_to(name, &all);
    REQUIRE(row != NULL, "the flow is listed");
    CHECK(row->state == FLOW_ALLOCATED && row->layer[0] == '\0', "as it is");
    CHECK(row->client.pid == getpid() && row->server.pid == agent.pid
          && row->client.is_remote == 0 && row->server.host[0] == '\0',
          "with its processes");
    CHECK(row->client.packets == 2 && row->client.unread_packets == 2
          && row->client.bytes == 2 * 64
          && row->client.unread_bytes == row->client.bytes,
          "with what the client sent");
    CHECK(row->server.packets == 1 && row->server.unread_packets == 1
          && row->server.bytes == 64, "and the server");
    id = row->id;
    free(all);

    CHECK_RESULT(flow_read(fd, buffer, sizeof(buffer)), 5, "one is read");
    row = flow_to(name, &all);
    REQUIRE(row != NULL, "the flow is listed");
    CHECK(row->server.packets == 1 && row->server.unread_packets == 0
          && row->server.unread_bytes == 0, "nothing is unread");
    free(all);

    CHECK_RESULT(irm_destroy_flow(id), 0, "the flow is destroyed");
    CHECK_RESULT(flow_read(fd, buffer, sizeof(buffer)), -EFLOWDOWN,
                 "its client has lost it");
    CHECK(agent_on(&agent, AGENT_READ, server) != -EFLOWDOWN,
          "its server reads what is there");
    CHECK(agent_write(&agent, server, 5, 3) == -EFLOWDOWN,
          "and has lost it too");
    flow_dealloc(fd);
    agent_on(&agent, AGENT_DEALLOC, server);
    CHECK_RESULT(irm_destroy_flow(id), -ENOENT, "it is gone");
    CHECK_RESULT(irm_destroy_flow(UINT32_MAX), -ENOENT, "another never was");
    CHECK(strstr(irm_last_error(), "there is no flow") != NULL, "as is said");
    agent_end(&agent);
    irm_destroy_name(name);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);
    check_bindings(argv[0]);
    check_flows();
    return conformance_end();
}
