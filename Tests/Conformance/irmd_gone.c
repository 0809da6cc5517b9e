/*
 * Ouroboros: an irmd that goes away and comes back (c-api §5, issue 2)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <signal.h>

/*
 * flow-memory §5: blocked allocations and accepts return -EIRMD, flows between
 * living processes go on, and the next call attaches again. Neither SIGPIPE
 * nor irmd's shutdown ends an application. All calls are made by agents: this
 * process is attached to the irmd that the tests share.
 */

struct cast {
    struct agent server;   /* Bound, with a flow to the client.    */
    struct agent client;
    struct agent acceptor; /* Sleeps in flow_accept.               */
    struct agent caller;   /* Sleeps in flow_alloc, to the server. */
    int          server_fd;
    int          client_fd;
};

static void allocate(struct cast * cast,
                     const char *  name)
{
    agent_begin(&cast->server, agent_command(AGENT_ACCEPT, -1));
    cast->client_fd = (int) agent_call(&cast->client,
                                       agent_naming(AGENT_ALLOC, name)).result;
    cast->server_fd = (int) agent_finish(&cast->server).result;
}

static void begin(struct cast * cast,
                  const char *  name)
{
    cast->server = agent_start();
    cast->client = agent_start();
    cast->acceptor = agent_start();
    cast->caller = agent_start();

    MUST(agent_bind(&cast->server, name) == 0, "a server is bound");
    MUST(agent_bind(&cast->acceptor, own_name("idle")) == 0, "another too");
    allocate(cast, name);
    MUST(cast->client_fd >= 0 && cast->server_fd >= 0, "a flow");

    agent_begin(&cast->acceptor, agent_command(AGENT_ACCEPT, -1));
    agent_sleep(&cast->acceptor);
    agent_begin(&cast->caller, agent_naming(AGENT_ALLOC, name));
    agent_sleep(&cast->caller);
}

static void end(struct cast * cast)
{
    agent_end(&cast->server);
    agent_end(&cast->client);
    agent_end(&cast->acceptor);
    agent_end(&cast->caller);
}

/* After a SIGTERM flows may be down instead: issue 2, item 5. */
static void check_flow(struct cast * cast,
                       bool          orderly)
{
    long long result = agent_write(&cast->client, cast->client_fd, 100, 1);

    if (orderly && result == -EFLOWDOWN) {
        CHECK_RESULT(agent_read(&cast->server, cast->server_fd, 100, 0),
                     -EFLOWDOWN, "the flow is down at both ends");
        return;
    }

    CHECK_RESULT(result, 100, "the flow goes on: a message goes");
    CHECK_RESULT(agent_read(&cast->server, cast->server_fd, 200, 1), 100,
                 "and arrives");
    CHECK_RESULT(agent_write(&cast->server, cast->server_fd, 100, 2), 100,
                 "one comes back");
    CHECK_RESULT(agent_read(&cast->client, cast->client_fd, 200, 2), 100,
                 "and arrives");
}

static void check_going(int signal_number)
{
    const char * name = own_name(signal_number == SIGKILL ? "kill" : "term");
    pid_t        irmd = private_irmd_start();
    struct cast  cast;
    long long    result;

    begin(&cast, name);
    CHECK_RESULT(kill(irmd, signal_number), 0, "irmd gets signal %d",
                 signal_number);
    CHECK_RESULT(agent_finish(&cast.acceptor).result, -EIRMD,
                 "an acceptor that waited");
    CHECK_RESULT(agent_finish(&cast.caller).result, -EIRMD,
                 "an allocation that waited");
    result = child_result(irmd);
    CHECK(signal_number == SIGKILL || result == 0, "irmd ends (%lld)", result);

    check_flow(&cast, signal_number == SIGTERM);
    CHECK_RESULT(agent_accept(&cast.acceptor), -EIRMD, "a new accept");
    CHECK_RESULT(agent_call(&cast.caller,
                            agent_naming(AGENT_ALLOC, name)).result, -EIRMD,
                 "a new allocation");
    CHECK_RESULT(agent_bind(&cast.caller, name), -EIRMD, "a new binding");
    CHECK_RESULT(agent_on(&cast.client, AGENT_DEALLOC, cast.client_fd), -EIRMD,
                 "a deallocation without irmd");
    CHECK_RESULT(agent_on(&cast.client, AGENT_DEALLOC, cast.client_fd),
                 -ENOTALLOC, "has freed the descriptor");
    CHECK_RESULT(agent_read(&cast.server, cast.server_fd, 100, 0), -EFLOWDOWN,
                 "and the other end is down");

    irmd = private_irmd_start();
    CHECK_RESULT(agent_bind(&cast.server, name), 0,
                 "with a new irmd the server is bound again");
    allocate(&cast, name);
    CHECK(cast.client_fd >= FIRST_FD && cast.server_fd >= FIRST_FD,
          "the old processes have new flows");
    check_flow(&cast, false);
    end(&cast);
    CHECK_RESULT(kill(irmd, SIGTERM), 0, "the new irmd is told to end");
    CHECK_RESULT(child_result(irmd), 0, "and ends in order");
}

/* While irmd is away, the link's end tells of the peer's (flow-memory §1). */
static void check_peer_dies_meanwhile(void)
{
    const char * name = own_name("meanwhile");
    pid_t        irmd = private_irmd_start();
    struct cast  cast;

    begin(&cast, name);
    kill(irmd, SIGKILL);
    child_result(irmd);
    CHECK_RESULT(agent_finish(&cast.acceptor).result, -EIRMD, "an acceptor");
    CHECK_RESULT(agent_finish(&cast.caller).result, -EIRMD, "an allocation");
    kill(cast.client.pid, SIGKILL);
    CHECK_RESULT(agent_read(&cast.server, cast.server_fd, 100, 0), -EFLOWDOWN,
                 "a peer's death is learned without irmd");
    end(&cast);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_going(SIGKILL);
    check_going(SIGTERM);
    check_peer_dies_meanwhile();

    return conformance_end();
}
