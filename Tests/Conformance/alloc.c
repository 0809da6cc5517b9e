/*
 * Ouroboros: results of flow_alloc (c-api §5.2)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"
#include "management.h"

static void check_arguments(void)
{
    struct timespec zero = { 0, 0 };
    char            longer[NAME_SIZE + 2];

    /* SHOULD of c-api §5.2: the prototype crashes. */
    CHECK_RESULT(flow_alloc(NULL, NULL, NULL), -EINVAL, "a name of NULL");
    CHECK_RESULT(flow_alloc(NULL, NULL, &zero), -EINVAL,
                 "a name of NULL and no time");

    CHECK_RESULT(flow_alloc(own_name("unknown"), NULL, NULL), -ENAME,
                 "an unknown name");
    CHECK_RESULT(flow_alloc("", NULL, NULL), -ENAME, "an empty name");

    memset(longer, 'n', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    CHECK_RESULT(flow_alloc(longer, NULL, NULL), -ENAME,
                 "a name of 256 bytes, which cannot exist");
}

/* flow-memory §6: to a name that nobody serves it fails at once. */
static void check_unserved(void)
{
    const char *    name = own_name("unserved");
    struct timespec hour = { 3600, 0 };
    struct agent    agent;

    REQUIRE(name_create(name) == 0, "a name is created");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -EIPCP,
                 "a name that nobody serves");
    CHECK_RESULT(flow_alloc(name, NULL, &hour), -EIPCP,
                 "the same with an hour to wait");

    agent = agent_start();
    REQUIRE(agent_bind(&agent, name) == 0, "an agent is bound to the name");
    agent_kill(&agent);
    CHECK_RESULT(flow_alloc(name, NULL, &hour), -EIPCP,
                 "a name whose only server was killed");

    CHECK_RESULT(irm_destroy_name(name), 0, "the name is destroyed");
    CHECK_RESULT(flow_alloc(name, NULL, NULL), -ENAME, "a destroyed name");
}

/* Issue 2: a blocked call wakes when its peer goes. */
static void check_server_dies(void)
{
    const char *         name = own_name("dies");
    struct agent         server = agent_start();
    struct agent         client = agent_start();
    struct agent_command command = agent_naming(AGENT_ALLOC, name);

    REQUIRE(agent_bind(&server, name) == 0, "a server is bound");
    command.milliseconds = 3600 * 1000;
    agent_begin(&client, command);
    agent_sleep(&client);
    agent_kill(&server);
    CHECK_RESULT(agent_finish(&client).result, -EIPCP,
                 "the server is killed while a client waits for its accept");
    agent_end(&client);
}

/* c-api §5.2: two processes of one irmd need no layer. */
static void check_success(void)
{
    struct timespec  hour = { 3600, 0 };
    const char *     name = own_name("second");
    struct flow_pair pair = flow_pair_start("first", NULL);
    int              fd;
    int              peer;
    int              round;

    CHECK(pair.fd >= FIRST_FD, "a name that is registered in no layer");
    CHECK_RESULT(agent_many(&pair.agent, AGENT_SEND, pair.peer, 10, 500, 1), 10,
                 "the server's messages go");
    for (round = 0; round < 10; round++)
        CHECK_RESULT(read_message(pair.fd, 1000, 1 + (unsigned) round), 500,
                     "message %d arrives at the client", round);

    REQUIRE(agent_bind(&pair.agent, name) == 0, "a second name");
    agent_begin(&pair.agent, agent_command(AGENT_ACCEPT, -1));
    fd = flow_alloc(name, NULL, &hour);
    peer = (int) agent_finish(&pair.agent).result;
    CHECK(fd > pair.fd && peer > pair.peer, "a flow with a time limit");
    flow_dealloc(fd);
    agent_on(&pair.agent, AGENT_DEALLOC, peer);

    /* Neither descriptors nor flow identifiers leak. */
    for (round = 0; round < 300; round++) {
        flow_pair_more(&pair.agent, name, NULL, &fd, &peer);
        if (flow_dealloc(fd) != 0
            || agent_on(&pair.agent, AGENT_DEALLOC, peer) != 0)
            break;
    }
    CHECK_RESULT(round, 300, "300 flows, one after the other");
    CHECK_RESULT(fd, pair.fd + 1, "all with the same descriptor");
    flow_pair_end(&pair);
}

static void check_names(void)
{
    struct agent agent = agent_start();
    char         longest[NAME_SIZE + 1];
    char         one[2] = { '\001', '\0' };
    char         bytes[64];
    const char * names[3];
    int          fd;
    int          peer;
    size_t       i;

    /* The process's number keeps apart what runs side by side. */
    memset(longest, 'n', NAME_SIZE);
    longest[NAME_SIZE] = '\0';
    memcpy(longest, own_name("l"), strlen(own_name("l")));
    snprintf(bytes, sizeof(bytes), "%s\377\200\351", own_name("b"));
    names[0] = one;
    names[1] = longest;
    names[2] = bytes;

    for (i = 0; i < 3; i++) {
        REQUIRE(agent_bind(&agent, names[i]) == 0,
                "a name of %zu bytes is bound", strlen(names[i]));
        flow_pair_more(&agent, names[i], NULL, &fd, &peer);
        CHECK(fd >= FIRST_FD, "and leads to a flow");
        flow_dealloc(fd);
        agent_on(&agent, AGENT_DEALLOC, peer);
        CHECK_RESULT(irm_destroy_name(names[i]), 0, "and is destroyed");
    }
    agent_end(&agent);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_arguments();
    check_unserved();
    check_server_dies();
    check_success();
    check_names();

    return conformance_end();
}
