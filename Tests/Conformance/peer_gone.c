/*
 * Ouroboros: the end of the other process (c-api §5.7, §7 and §10)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <signal.h>

/*
 * flow-memory §5: however a process ends, its flows are down at once, what it
 * sent is read first, and a flow set gets one FLOW_DEALLOC. The rows want the
 * peer's timeout for _exit and kills.
 */

static char byte;

enum ending { BY_DEALLOC, BY_EXIT, BY_QUIT, BY_KILL };

static const char * const endings[] = {
    "flow_dealloc", "exit", "_exit", "SIGKILL"
};

static void end_peer(struct flow_pair * pair,
                     enum ending        ending)
{
    switch (ending) {
    case BY_DEALLOC:
        agent_on(&pair->agent, AGENT_DEALLOC, pair->peer);
        break;
    case BY_EXIT:
        agent_on(&pair->agent, AGENT_EXIT, -1);
        break;
    case BY_QUIT:
        agent_on(&pair->agent, AGENT_QUIT, -1);
        break;
    case BY_KILL:
        kill(pair->agent.pid, SIGKILL);
        break;
    }
}

static void check_reader(enum ending ending)
{
    struct flow_pair pair = flow_pair_start("reader", NULL);

    MUST(agent_write(&pair.agent, pair.peer, 100, 1) == 100, "a message goes");
    end_peer(&pair, ending);
    CHECK_RESULT(read_message(pair.fd, 200, 1), 100,
                 "%s: what was sent is read first", endings[ending]);
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "%s: then the flow is down", endings[ending]);
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), -EFLOWDOWN,
                 "%s: also for a writer", endings[ending]);
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "%s: the flow is deallocated",
                 endings[ending]);
    agent_end(&pair.agent);
}

/* The agents change places, so that the one that waits is not this one. */
static void check_blocked(enum ending ending)
{
    struct flow_pair     pair = flow_pair_start("server", NULL);
    struct flow_pair     other;
    const char *         name = own_name("between");
    struct agent_command command = agent_command(AGENT_READ, -1);

    /* A flow between two agents: one reads, the other ends. */
    other.agent = agent_start();
    MUST(agent_bind(&pair.agent, name) == 0, "a name between agents");
    agent_begin(&pair.agent, agent_command(AGENT_ACCEPT, -1));
    other.peer = (int) agent_call(&other.agent,
                                  agent_naming(AGENT_ALLOC, name)).result;
    command.fd = (int) agent_finish(&pair.agent).result;
    MUST(other.peer >= 0 && command.fd >= 0, "a flow between agents");

    command.size = 100;
    agent_begin(&pair.agent, command);
    agent_sleep(&pair.agent);
    end_peer(&other, ending);
    CHECK_RESULT(agent_finish(&pair.agent).result, -EFLOWDOWN,
                 "%s: a reader that waited wakes", endings[ending]);
    agent_end(&other.agent);
    flow_pair_end(&pair);
}

static void check_events(enum ending ending)
{
    struct flow_pair pair = flow_pair_start("events", NULL);
    struct timespec  zero = { 0, 0 };
    fset_t *         set = fset_create();
    fqueue_t *       queue = fqueue_create();

    MUST(fset_add(set, pair.fd) == 0, "the flow is in a set");
    MUST(agent_write(&pair.agent, pair.peer, 100, 1) == 100, "a message goes");
    CHECK_RESULT(fevent(set, queue, NULL), 1, "%s: an event", endings[ending]);
    CHECK_RESULT(fqueue_next(queue), pair.fd, "%s: of the flow",
                 endings[ending]);
    CHECK_RESULT(fqueue_type(queue), FLOW_PKT, "%s: a message",
                 endings[ending]);
    CHECK_RESULT(fqueue_next(queue), -EPERM, "%s: no more", endings[ending]);

    end_peer(&pair, ending);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "%s: an event", endings[ending]);
    CHECK_RESULT(fqueue_next(queue), pair.fd, "%s: of the flow",
                 endings[ending]);
    CHECK_RESULT(fqueue_type(queue), FLOW_DEALLOC, "%s: FLOW_DEALLOC",
                 endings[ending]);
    CHECK_RESULT(fqueue_next(queue), -EPERM, "%s: no more", endings[ending]);
    CHECK_RESULT(fevent(set, queue, &zero), -ETIMEDOUT,
                 "%s: it comes once", endings[ending]);
    CHECK_RESULT(read_message(pair.fd, 200, 1), 100,
                 "%s: the message is there", endings[ending]);
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "%s: then the flow is down", endings[ending]);

    flow_dealloc(pair.fd);
    fqueue_destroy(queue);
    fset_destroy(set);
    agent_end(&pair.agent);
}

/*
 * A peer may end between flow_accept and fset_add. Issue 2: no program that
 * waits for events stalls; so the set learns of it.
 */
static void check_added_late(enum ending ending)
{
    struct flow_pair pair = flow_pair_start("late", NULL);
    fset_t *         set = fset_create();
    fqueue_t *       queue = fqueue_create();

    end_peer(&pair, ending);
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "%s: the flow is down", endings[ending]);
    CHECK_RESULT(fset_add(set, pair.fd), 0, "%s: it is added to a set",
                 endings[ending]);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "%s: which has an event",
                 endings[ending]);
    CHECK_RESULT(fqueue_next(queue), pair.fd, "%s: of the flow",
                 endings[ending]);
    CHECK_RESULT(fqueue_type(queue), FLOW_DEALLOC, "%s: FLOW_DEALLOC",
                 endings[ending]);
    flow_dealloc(pair.fd);
    fqueue_destroy(queue);
    fset_destroy(set);
    agent_end(&pair.agent);
}

/* Not only one of several flows. */
static void check_all_flows(void)
{
    struct flow_pair first = flow_pair_start("one", NULL);
    const char *     name = own_name("two");
    int              fd;
    int              peer;

    MUST(agent_bind(&first.agent, name) == 0, "a second name");
    flow_pair_more(&first.agent, name, &qos_data, &fd, &peer);
    kill(first.agent.pid, SIGKILL);
    CHECK_RESULT(flow_read(first.fd, &byte, 1), -EFLOWDOWN,
                 "both flows to a killed process are down: the one");
    CHECK_RESULT(flow_read(fd, &byte, 1), -EFLOWDOWN, "and the other");
    flow_dealloc(fd);
    flow_pair_end(&first);
}

int main(int     argc,
         char ** argv)
{
    enum ending ending;

    conformance_begin(argc, argv);

    for (ending = BY_DEALLOC; ending <= BY_KILL; ending++) {
        check_reader(ending);
        check_blocked(ending);
        check_events(ending);
        check_added_late(ending);
    }
    check_all_flows();

    return conformance_end();
}
