/*
 * Ouroboros: flow sets of several flows (c-api §7)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#define FLOWS 40

static const struct timespec zero = { 0, 0 };

struct flows {
    struct agent agent;
    int          fds[FLOWS];
    int          peers[FLOWS];
};

static void start(struct flows * flows)
{
    const char * name = own_name("many");
    int          i;

    flows->agent = agent_start();
    MUST(agent_bind(&flows->agent, name) == 0, "an agent is bound");
    for (i = 0; i < FLOWS; i++)
        flow_pair_more(&flows->agent, name, i % 2 == 0 ? NULL : &qos_data,
                       &flows->fds[i], &flows->peers[i]);
}

/* Count events by flow until nothing is left; false for another type. */
static bool count_events(fset_t *   set,
                         fqueue_t * queue,
                         int *      counts)
{
    int fd;

    while (fevent(set, queue, &zero) == 1)
        while ((fd = fqueue_next(queue)) != -EPERM) {
            if (fd < FIRST_FD || fd >= FIRST_FD + FLOWS
                || fqueue_type(queue) != FLOW_PKT)
                return false;
            counts[fd - FIRST_FD]++;
        }

    return true;
}

static void check_each(struct flows * flows,
                       fset_t *       set,
                       fqueue_t *     queue)
{
    int  counts[FLOWS] = { 0 };
    bool right = true;
    int  i;

    for (i = 0; i < FLOWS; i++)
        MUST(agent_many(&flows->agent, AGENT_SEND, flows->peers[i],
                        (uint32_t) i, 20, 0) == i, "flow %d: messages", i);
    CHECK(count_events(set, queue, counts), "messages on 40 flows make events");
    for (i = 0; i < FLOWS; i++)
        right = right && counts[flows->fds[i] - FIRST_FD] == i;
    CHECK(right, "as many for each flow as it has messages");

    for (i = 0; i < FLOWS; i++) {
        int left = i;

        while (left > 0
               && read_message(flows->fds[i], 100, (unsigned) (i - left)) == 20)
            left--;
        right = right && left == 0;
    }
    CHECK(right, "which are there");
}

/* Reading once for each event finds a message each time, and reads all. */
static void check_echo(struct flows * flows,
                       fset_t *       set,
                       fqueue_t *     queue)
{
    const uint32_t each = 50;
    uint32_t       seen = 0;
    uint32_t       wrong = 0;
    int            fd;
    int            i;

    for (i = 0; i < FLOWS; i++)
        MUST(agent_many(&flows->agent, AGENT_SEND, flows->peers[i], each, 64, 0)
             == each, "flow %d: messages", i);
    while (seen < FLOWS * each) {
        if (fevent(set, queue, NULL) != 1)
            break;
        while ((fd = fqueue_next(queue)) >= 0) {
            seen++;
            fccntl(fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFRNOBLOCK);
            if (flow_read(fd, &(char[100]) { 0 }, 100) != 64)
                wrong++;
        }
    }
    CHECK_RESULT(seen, FLOWS * each, "2,000 messages make as many events");
    CHECK_RESULT(wrong, 0, "one read for each finds its message");
    CHECK_RESULT(fevent(set, queue, &zero), -ETIMEDOUT, "then there are none");
}

static void check_two_sets(struct flows * flows)
{
    fset_t *   one = fset_create();
    fset_t *   other = fset_create();
    fqueue_t * queue = fqueue_create();

    MUST(fset_add(one, flows->fds[0]) == 0, "a flow in one set");
    MUST(fset_add(other, flows->fds[1]) == 0, "a flow in another");
    MUST(agent_write(&flows->agent, flows->peers[1], 10, 1) == 10, "a message");
    CHECK_RESULT(fevent(one, queue, &zero), -ETIMEDOUT,
                 "a set has no events of another's flows");
    CHECK_RESULT(fevent(other, queue, NULL), 1, "the other has");
    CHECK_RESULT(fqueue_next(queue), flows->fds[1], "of its own flow");
    CHECK_RESULT(fqueue_next(queue), -EPERM, "no more");

    MUST(agent_write(&flows->agent, flows->peers[0], 10, 2) == 10, "a message");
    CHECK_RESULT(fevent(one, queue, NULL), 1, "the queue serves both sets");
    CHECK_RESULT(fqueue_next(queue), flows->fds[0], "one after the other");
    CHECK_RESULT(read_message(flows->fds[1], 100, 1), 10, "the first message");
    CHECK_RESULT(read_message(flows->fds[0], 100, 2), 10, "the second");

    /* A flow that is in no set can still be read; its messages are kept. */
    fset_del(one, flows->fds[0]);
    MUST(agent_write(&flows->agent, flows->peers[0], 10, 3) == 10, "a message");
    CHECK_RESULT(fevent(one, queue, &zero), -ETIMEDOUT,
                 "a flow taken out of its set has no events");
    CHECK_RESULT(read_message(flows->fds[0], 100, 3), 10, "but its messages");

    fqueue_destroy(queue);
    fset_destroy(one);
    fset_destroy(other);
}

/* A sleeper in fevent wakes for the flow that is ready, whichever it is. */
static void check_wakes(struct flows * flows)
{
    struct agent_command wait = agent_command(AGENT_EVENT, -1);
    struct agent_answer  answer;
    bool                 right = true;
    int                  round;
    int                  i;

    for (i = 0; i < FLOWS; i++)
        MUST(agent_on(&flows->agent, AGENT_WATCH, flows->peers[i]) == 0,
             "flow %d is in the agent's set", i);
    for (round = 0; round < 2 * FLOWS; round++) {
        i = round * 7 % FLOWS;
        agent_begin(&flows->agent, wait);
        agent_sleep(&flows->agent);
        MUST(write_message(flows->fds[i], 10, 1) == 10, "a message goes");
        answer = agent_finish(&flows->agent);
        right = right && answer.result == flows->peers[i]
            && answer.value == FLOW_PKT
            && agent_read(&flows->agent, flows->peers[i], 100, 1) == 10;
    }
    CHECK(right, "80 times a process in fevent wakes for one of 40 flows");
}

int main(int     argc,
         char ** argv)
{
    struct flows flows;
    fset_t *     set;
    fqueue_t *   queue;
    int          i;

    conformance_begin(argc, argv);

    start(&flows);
    set = fset_create();
    queue = fqueue_create();
    for (i = 0; i < FLOWS; i++)
        MUST(fset_add(set, flows.fds[i]) == 0, "flow %d is in a set", i);
    check_each(&flows, set, queue);
    check_echo(&flows, set, queue);
    fset_destroy(set);
    fqueue_destroy(queue);
    check_two_sets(&flows);
    check_wakes(&flows);
    agent_end(&flows.agent);

    return conformance_end();
}
