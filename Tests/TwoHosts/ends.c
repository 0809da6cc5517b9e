/*
 * Ouroboros: servers that are late, clients that give up, ends that die, and
 * ends that are silent
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"

#include <signal.h>

static char byte;

/* The server accepts when the request has been repeated. */
static void check_late(void)
{
    struct agent agent = agent_at(TWO);
    long long    before = network(ONE, "dropped: repeated request");
    int          fd;
    long long    peer;

    MUST(irm_bind_process(getpid(), "one.self") == 0, "we are bound");
    agent_begin(&agent, agent_naming(AGENT_ALLOC, "one.self"));
    wait_for_more(ONE, "dropped: repeated request", before);
    fd = flow_accept(NULL, NULL);
    CHECK(fd >= 0, "a server accepts late");
    peer = agent_finish(&agent).result;
    CHECK(peer >= 0, "its client has waited");
    CHECK_RESULT(agent_write(&agent, (int) peer, 100, 1), 100, "it writes");
    CHECK_RESULT(read_message(fd, 200, 1), 100, "and is read");
    flow_dealloc(fd);
    agent_end(&agent);
}

/* On another host a server may get a flow whose client has gone. */
static void check_gives_up(void)
{
    struct agent         agent = agent_at(TWO);
    struct agent_command alloc = agent_naming(AGENT_ALLOC, "one.self");
    struct timespec      limit = { 30, 0 };
    struct agent_answer  answer;
    int                  fd;

    alloc.has_qos = true;
    alloc.qos = raw_with_timeout(0);
    alloc.milliseconds = 300;
    answer = agent_call(&agent, alloc);
    CHECK_RESULT(answer.result, -ETIMEDOUT, "a client gives up");
    CHECK(answer.lasted >= 300, "not too early");
    CHECK_RESULT(network(TWO, "flows"), 0, "nothing is left on its host");

    fd = flow_accept(NULL, &limit);
    if (CHECK(fd >= 0, "the server gets a flow of nobody"))
        CHECK_RESULT(flow_read(fd, &byte, 1), -EFLOWDOWN,
                     "and is told by the client's host");
    CHECK(network(TWO, "dropped: unexpected reply") > 0,
          "the client's host wants no answer any more");
    flow_dealloc(fd);
    agent_end(&agent);
}

static bool no_flows_at_two(void * argument)
{
    (void) argument;
    return network(TWO, "flows") == 0;
}

/* The request is known to our host when it has been repeated. */
static void check_client_dies(void)
{
    struct agent         agent = agent_at(TWO);
    struct agent_command alloc = agent_naming(AGENT_ALLOC, "one.self");
    long long            before = network(ONE, "dropped: repeated request");
    struct timespec      limit = { 30, 0 };
    int                  fd;

    alloc.has_qos = true;
    alloc.qos = raw_with_timeout(0);
    agent_begin(&agent, alloc);
    wait_for_more(ONE, "dropped: repeated request", before);
    agent_kill(&agent);
    wait_for(no_flows_at_two, NULL);
    CHECK(true, "of a client that dies nothing is left on its host");
    fd = flow_accept(NULL, &limit);
    CHECK(fd >= 0, "the server gets its flow");
    CHECK_RESULT(flow_read(fd, &byte, 1), -EFLOWDOWN,
                 "and is told by the host of the dead one");
    flow_dealloc(fd);
}

static void check_server_dies(void)
{
    struct agent server = agent_at(TWO);
    struct agent client = agent_at(ONE);
    long long    before = network(TWO, "dropped: repeated request");
    long long    result;

    MUST(agent_bind(&server, "two.ends") == 0, "an agent is bound");
    agent_begin(&client, agent_naming(AGENT_ALLOC, "two.ends"));
    wait_for_more(TWO, "dropped: repeated request", before);
    agent_kill(&server);
    result = agent_finish(&client).result;
    CHECK(result == -EIPCP || result == -ENAME,
          "a client is told when its server dies before it accepts (%lld)",
          result);
    agent_end(&client);
}

/* Without a timeout nobody would be missed: it is the host that tells. */
static void check_killed(struct flow_pair pair,
                         const char *     what)
{
    MUST(agent_write(&pair.agent, pair.peer, 500, 1) == 500
         && agent_write(&pair.agent, pair.peer, 600, 2) == 600,
         "messages go");
    agent_kill(&pair.agent);
    CHECK_RESULT(read_message(pair.fd, 1000, 1), 500,
                 "%s is killed: what it wrote before comes", what);
    CHECK_RESULT(read_message(pair.fd, 1000, 2), 600, "all of it");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "%s: then readers are told", what);
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), -EFLOWDOWN,
                 "%s: and writers", what);
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "%s: the flow ends", what);
}

static void check_killed_event(void)
{
    qosspec_t        qos = raw_with_timeout(0);
    struct flow_pair pair = pair_to_two("two.event", &qos);
    struct timespec  zero = { 0, 0 };
    fset_t *         set = fset_create();
    fqueue_t *       queue = fqueue_create();

    MUST(fset_add(set, pair.fd) == 0, "the flow is in a set");
    agent_kill(&pair.agent);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "a killed peer makes an event");
    CHECK_RESULT(fqueue_next(queue), pair.fd, "of the flow");
    CHECK_RESULT(fqueue_type(queue), FLOW_DEALLOC, "FLOW_DEALLOC");
    CHECK_RESULT(fevent(set, queue, &zero), -ETIMEDOUT, "it comes once");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN, "-EFLOWDOWN");
    flow_dealloc(pair.fd);
    fqueue_destroy(queue);
    fset_destroy(set);
}

/* The keepalive before may be a quarter of the timeout old. */
static void check_not_early(int64_t begun)
{
    CHECK(now_ms() - begun >= TIMEOUT / 2, "not before the timeout");
}

/* It lives, and its host has nothing to tell. */
static void check_silent(struct flow_pair pair,
                         const char *     what)
{
    int64_t begun;

    MUST(agent_write(&pair.agent, pair.peer, 100, 1) == 100, "a message goes");
    CHECK_RESULT(read_message(pair.fd, 200, 1), 100, "%s: it comes", what);
    begun = now_ms();
    kill(pair.agent.pid, SIGSTOP);
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWPEER,
                 "%s that is stopped is missed", what);
    check_not_early(begun);
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), -EFLOWPEER,
                 "%s: writers are told, too", what);
    agent_kill(&pair.agent);
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "%s: the flow ends", what);
}

static void check_silent_event(void)
{
    qosspec_t        qos = raw_with_timeout(TIMEOUT);
    struct flow_pair pair = pair_to_two("two.event", &qos);
    struct timespec  zero = { 0, 0 };
    fset_t *         set = fset_create();
    fqueue_t *       queue = fqueue_create();
    int64_t          begun;

    MUST(fset_add(set, pair.fd) == 0, "the flow is in a set");
    begun = now_ms();
    kill(pair.agent.pid, SIGSTOP);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "a stopped peer makes an event");
    check_not_early(begun);
    CHECK_RESULT(fqueue_next(queue), pair.fd, "of the flow");
    CHECK_RESULT(fqueue_type(queue), FLOW_PEER, "FLOW_PEER");
    CHECK_RESULT(fevent(set, queue, &zero), -ETIMEDOUT, "it comes once");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWPEER, "-EFLOWPEER");
    agent_kill(&pair.agent);
    flow_dealloc(pair.fd);
    fqueue_destroy(queue);
    fset_destroy(set);
}

/* What was written before the end is sent. */
static void check_dealloc(void)
{
    qosspec_t        qos = raw_with_timeout(0);
    struct flow_pair pair = pair_to_two("two.dealloc", &qos);

    MUST(agent_write(&pair.agent, pair.peer, 500, 1) == 500
         && agent_write(&pair.agent, pair.peer, 600, 2) == 600,
         "messages go");
    CHECK_RESULT(agent_on(&pair.agent, AGENT_DEALLOC, pair.peer), 0,
                 "the other end ends");
    CHECK_RESULT(read_message(pair.fd, 1000, 1), 500,
                 "what it wrote before comes");
    CHECK_RESULT(read_message(pair.fd, 1000, 2), 600, "all of it");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "then its host tells that it has ended");
    flow_pair_end(&pair);
}

static void check_idle(void)
{
    qosspec_t        qos = raw_with_timeout(2000);
    struct flow_pair pair = pair_to_two("two.idle", &qos);
    long long        before = network(ONE, "packets departed");

    check_no_events(&pair);
    CHECK(network(ONE, "packets departed") > before, "there were keepalives");
    check_still_works(&pair);
    flow_pair_end(&pair);
}

/* A timeout of 0 is none. */
static void check_patient(void)
{
    qosspec_t        qos = raw_with_timeout(0);
    struct flow_pair pair = pair_to_two("two.patient", &qos);
    struct timespec  limit = { 1, 0 };

    kill(pair.agent.pid, SIGSTOP);
    fccntl(pair.fd, FLOWSRCVTIMEO, &limit);
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -ETIMEDOUT,
                 "a flow without a timeout misses nobody");
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), 1, "it can be written to");
    agent_kill(&pair.agent);
    flow_dealloc(pair.fd);
}

int main(int     argc,
         char ** argv)
{
    qosspec_t qos = raw_with_timeout(TIMEOUT);
    qosspec_t none = raw_with_timeout(0);

    hosts_begin(argc, argv);

    check_late();
    check_gives_up();
    check_client_dies();
    check_server_dies();
    check_killed(pair_to_two("two.ends", &none), "a server");
    check_killed(pair_from_two(&none), "a client");
    check_killed_event();
    check_silent(pair_to_two("two.ends", &qos), "a server");
    check_silent(pair_from_two(&qos), "a client");
    check_silent_event();
    check_dealloc();
    check_idle();
    check_patient();

    return conformance_end();
}
