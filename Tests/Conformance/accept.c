/*
 * Ouroboros: flow_accept (c-api §5.3)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <pthread.h>
#include <signal.h>

#define ACCEPTORS 8

static void check_timeouts(void)
{
    const int64_t   limits[] = { 0, 1, 50, 600 };
    struct timespec time;
    int64_t         begun;
    size_t          i;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        begun = now_ms();
        CHECK_RESULT(flow_accept(NULL, interval(&time, limits[i])), -ETIMEDOUT,
                     "%lld ms, bound to no name", (long long) limits[i]);
        CHECK(now_ms() - begun >= limits[i], "not before they are over");
    }
}

static void check_bound_meanwhile(void)
{
    const char * name = own_name("meanwhile");
    struct agent agent = agent_start();
    int          fd;

    agent_begin(&agent, agent_command(AGENT_ACCEPT, -1));
    agent_sleep(&agent);
    CHECK_RESULT(irm_bind_process(agent.pid, name), 0,
                 "a process that accepts already is bound to a name");
    fd = flow_alloc(name, NULL, NULL);
    CHECK(fd >= FIRST_FD, "a flow to the name is allocated");
    CHECK(agent_finish(&agent).result >= FIRST_FD, "to that process");
    flow_dealloc(fd);
    agent_end(&agent);
}

static void check_all_names(void)
{
    const char * names[3] = { own_name("a"), own_name("b"), own_name("c") };
    struct agent agent = agent_start();
    size_t       i;
    int          fd;
    int          peer;

    for (i = 0; i < 3; i++)
        REQUIRE(agent_bind(&agent, names[i]) == 0, "name %zu is bound", i);
    for (i = 0; i < 3; i++) {
        flow_pair_more(&agent, names[2 - i], NULL, &fd, &peer);
        CHECK(fd >= FIRST_FD, "an acceptor accepts for each of its names");
        flow_dealloc(fd);
    }
    agent_end(&agent);
}

static void * accept_one(void * result)
{
    *(int *) result = flow_accept(NULL, NULL);
    return NULL;
}

static void check_threads(void)
{
    const char *         name = own_name("threads");
    struct agent         agent = agent_start();
    struct agent_command command = agent_naming(AGENT_ALLOC, name);
    pthread_t            threads[ACCEPTORS];
    int                  fds[ACCEPTORS];
    int                  peers[ACCEPTORS];
    bool                 seen[256] = { false };
    int                  different = 0;
    int                  i;

    REQUIRE(irm_bind_process(getpid(), name) == 0, "this process is bound");
    for (i = 0; i < ACCEPTORS; i++)
        pthread_create(&threads[i], NULL, accept_one, &fds[i]);
    for (i = 0; i < ACCEPTORS; i++)
        peers[i] = (int) agent_call(&agent, command).result;
    for (i = 0; i < ACCEPTORS; i++)
        pthread_join(threads[i], NULL);

    for (i = 0; i < ACCEPTORS; i++) {
        CHECK(peers[i] >= FIRST_FD, "request %d is granted", i);
        if (fds[i] >= FIRST_FD && fds[i] < 256 && !seen[fds[i]]) {
            seen[fds[i]] = true;
            different++;
        }
    }
    CHECK_RESULT(different, ACCEPTORS, "each accepting thread got one flow");

    for (i = 0; i < ACCEPTORS; i++)
        flow_dealloc(fds[i]);
    irm_unbind_process(getpid(), name);
    agent_end(&agent);
}

/*
 * The row has -ENOMEM if the client died between request and attach; nothing
 * half-open may remain (flow-memory §5), so that later requests are served.
 */
static void check_client_dies(void)
{
    const char *         name = own_name("dies");
    struct agent_command command = agent_naming(AGENT_ALLOC, name);
    struct timespec      zero = { 0, 0 };
    struct agent         agent;
    char                 byte;
    int                  round;
    int                  fd;

    REQUIRE(irm_bind_process(getpid(), name) == 0, "this process is bound");
    for (round = 0; round < 5; round++) {
        agent = agent_start();
        agent_begin(&agent, command);
        agent_sleep(&agent);
        agent_kill(&agent);
        fd = flow_accept(NULL, &zero);
        CHECK(fd == -ETIMEDOUT || fd == -ENOMEM || fd >= FIRST_FD,
              "a client is killed while its request waits (%d)", fd);
        if (fd >= FIRST_FD) {
            CHECK_RESULT(flow_read(fd, &byte, 1), -EFLOWDOWN,
                         "the flow to a dead client is down");
            CHECK_RESULT(flow_dealloc(fd), 0, "and can be deallocated");
        }
    }

    agent = agent_start();
    agent_begin(&agent, command);
    fd = flow_accept(NULL, NULL);
    CHECK(fd >= FIRST_FD, "the next client is accepted");
    CHECK(agent_finish(&agent).result >= FIRST_FD, "and gets its flow");
    CHECK_RESULT(write_message(fd, 5, 1), 5, "which works");
    flow_dealloc(fd);
    irm_unbind_process(getpid(), name);
    agent_end(&agent);
}

/*
 * A server that is stopped comes too late for its client, whose flow it does
 * not get: it goes on waiting.
 */
static void check_too_late(void)
{
    const char *    name = own_name("stopped");
    struct agent    server = agent_start();
    struct timespec buffer;
    long long       peer;
    int             fd;

    REQUIRE(agent_bind(&server, name) == 0, "a server is bound");
    agent_begin(&server, agent_command(AGENT_ACCEPT, -1));
    agent_sleep(&server);
    kill(server.pid, SIGSTOP);
    CHECK_RESULT(flow_alloc(name, NULL, interval(&buffer, 100)), -ETIMEDOUT,
                 "a client of a stopped server gives up");
    wait_for_irmd();
    kill(server.pid, SIGCONT);
    fd = flow_alloc(name, NULL, NULL);
    CHECK(fd >= FIRST_FD, "the next one has a flow (%d)", fd);
    peer = agent_finish(&server).result;
    CHECK(peer >= FIRST_FD, "and the server too (%lld)", peer);
    CHECK_RESULT(write_message(fd, 10, 1), 10, "a message goes");
    CHECK_RESULT(agent_read(&server, (int) peer, 100, 1), 10,
                 "and it is the same flow");
    flow_dealloc(fd);
    agent_end(&server);
}

/* A client that already waits is served by an accept that comes later. */
static void check_late(void)
{
    const char * name = own_name("late");
    struct agent agent = agent_start();
    int          fd;

    REQUIRE(irm_bind_process(getpid(), name) == 0, "this process is bound");
    agent_begin(&agent, agent_naming(AGENT_ALLOC, name));
    agent_sleep(&agent);
    fd = flow_accept(NULL, NULL);
    CHECK(fd >= FIRST_FD, "a request that came first is accepted");
    CHECK(agent_finish(&agent).result >= FIRST_FD, "and granted");
    flow_dealloc(fd);
    irm_unbind_process(getpid(), name);
    agent_end(&agent);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_timeouts();
    check_bound_meanwhile();
    check_all_names();
    check_late();
    check_too_late();
    check_threads();
    check_client_dies();

    return conformance_end();
}
