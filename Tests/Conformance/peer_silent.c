/*
 * Ouroboros: a peer that falls silent (c-api §5.7, §7, §10)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <signal.h>

/* Milliseconds of the flows' qos.timeout here. */
#define TIMEOUT 1000

static char byte;

static qosspec_t impatient(qosspec_t qos)
{
    qos.timeout = TIMEOUT;
    return qos;
}

/* A stopped process is silent, and not dead (flow-memory §4, §5). */
static void check_reader(const char * what,
                         qosspec_t    wish)
{
    qosspec_t        qos = impatient(wish);
    struct flow_pair pair = flow_pair_start(what, &qos);
    int64_t          begun;

    MUST(agent_write(&pair.agent, pair.peer, 100, 1) == 100, "a message goes");
    begun = now_ms();
    kill(pair.agent.pid, SIGSTOP);
    CHECK_RESULT(read_message(pair.fd, 200, 1), 100,
                 "%s: a stopped peer's message is read", what);
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWPEER,
                 "%s: a reader that waits learns of the silence", what);
    /* It may have been silent for a part of its heartbeat's interval. */
    CHECK(now_ms() - begun >= TIMEOUT / 2,
          "%s: not before the timeout", what);
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWPEER,
                 "%s: the flow stays so", what);
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), -EFLOWPEER,
                 "%s: also for a writer", what);

    kill(pair.agent.pid, SIGKILL);
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "%s: it is deallocated", what);
    agent_end(&pair.agent);
}

static void check_event(void)
{
    qosspec_t        qos = impatient(qos_raw);
    struct flow_pair pair = flow_pair_start("event", &qos);
    struct timespec  zero = { 0, 0 };
    fset_t *         set = fset_create();
    fqueue_t *       queue = fqueue_create();

    MUST(fset_add(set, pair.fd) == 0, "the flow is in a set");
    kill(pair.agent.pid, SIGSTOP);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "a stopped peer makes an event");
    CHECK_RESULT(fqueue_next(queue), pair.fd, "of the flow");
    CHECK_RESULT(fqueue_type(queue), FLOW_PEER, "FLOW_PEER");
    CHECK_RESULT(fqueue_next(queue), -EPERM, "and no other");
    CHECK_RESULT(fevent(set, queue, &zero), -ETIMEDOUT, "it comes once");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWPEER,
                 "then reads give -EFLOWPEER");

    kill(pair.agent.pid, SIGCONT);
    flow_dealloc(pair.fd);
    fqueue_destroy(queue);
    fset_destroy(set);
    agent_end(&pair.agent);
}

/*
 * Keepalives: a flow on which nothing is written stays up. The time limit of
 * fevent is here what is being looked at: several timeouts long.
 */
static void check_idle(void)
{
    qosspec_t        qos = impatient(qos_data);
    struct flow_pair pair;

    qos.timeout = 2000;
    pair = flow_pair_start("idle", &qos);
    check_no_events(&pair);
    check_still_works(&pair);
    flow_pair_end(&pair);
}

/* A timeout of zero is none. */
static void check_patient(void)
{
    qosspec_t        qos = qos_raw;
    struct flow_pair pair;
    struct timespec  while_stopped = { 3, 0 };

    qos.timeout = 0;
    pair = flow_pair_start("patient", &qos);
    kill(pair.agent.pid, SIGSTOP);
    CHECK_RESULT(fccntl(pair.fd, FLOWSRCVTIMEO, &while_stopped), 0,
                 "a reader waits for 3 s");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -ETIMEDOUT,
                 "a flow with a timeout of zero does not mind the silence");
    kill(pair.agent.pid, SIGCONT);
    CHECK_RESULT(agent_write(&pair.agent, pair.peer, 10, 1), 10,
                 "when the peer goes on");
    CHECK_RESULT(read_message(pair.fd, 100, 1), 10, "the flow works");
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_reader("raw", qos_raw);
    check_reader("data", qos_data);
    check_event();
    check_idle();
    check_patient();

    return conformance_end();
}
