/*
 * Ouroboros: the time limit of flow_alloc where none is given (c-api §5.2)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

int main(int     argc,
         char ** argv)
{
    const char *        name;
    struct agent        server;
    struct agent        client;
    struct agent_answer answer;

    conformance_begin(argc, argv);

    name = own_name("slow");
    server = agent_start();
    client = agent_start();
    REQUIRE(agent_bind(&server, name) == 0, "a server is bound");

    /* flow-memory §5: 20 s, then -ETIMEDOUT; the row has -EPERM. */
    answer = agent_call(&client, agent_naming(AGENT_ALLOC, name));
    CHECK_RESULT(answer.result, -ETIMEDOUT, "a server that does not accept");
    CHECK(answer.lasted >= 20000, "is given 20 seconds");

    agent_end(&client);
    agent_end(&server);

    return conformance_end();
}
