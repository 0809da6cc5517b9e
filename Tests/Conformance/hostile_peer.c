/*
 * Ouroboros: a peer that keeps calls from returning (c-api §5, §7)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <pthread.h>

/*
 * A peer can write empty packets, which no reader sees, without end; it can
 * ring for nothing; and it can move a sleeper of ours to a word on which
 * nobody is ever woken, and then die. No call may wait longer than it shall.
 */

enum { CALLS = 2000 };

static void check_empty_packets(void)
{
    struct flow_pair pair = flow_pair_start("empty", NULL);
    struct timespec  none = { 0, 0 };
    struct timespec  little = { 0, 10000000 };
    fset_t *         set = fset_create();
    fqueue_t *       queue = fqueue_create();
    int              blocked = 0;
    int              over = 0;
    int              index;
    char             byte;

    MUST(agent_on(&pair.agent, AGENT_FLOOD, pair.peer) == 0, "a flood");
    MUST(fccntl(pair.fd, FLOWSFLAGS, FLOWFRDWR | FLOWFRNOBLOCK) == 0,
         "a flow that does not block");
    for (index = 0; index < CALLS; index++)
        blocked += flow_read(pair.fd, &byte, 1) == -EAGAIN;
    CHECK_RESULT(blocked, CALLS, "reads that shall not wait do not");

    MUST(fccntl(pair.fd, FLOWSFLAGS, FLOWFRDWR) == 0
         && fccntl(pair.fd, FLOWSRCVTIMEO, &little) == 0, "a limit");
    for (index = 0; index < 20; index++)
        over += flow_read(pair.fd, &byte, 1) == -ETIMEDOUT;
    CHECK_RESULT(over, 20, "reads with a limit end");

    MUST(fset_add(set, pair.fd) == 0, "a set");
    for (index = 0, over = 0; index < CALLS; index++) {
        ssize_t result = fevent(set, queue, &none);

        over += result == -ETIMEDOUT || result == 1;
        while (fqueue_next(queue) >= 0)
            ;
    }
    CHECK_RESULT(over, CALLS, "and so do sets");
    MUST(fset_pollfd(set) >= 0, "a set that is polled");
    for (index = 0, over = 0; index < CALLS; index++) {
        ssize_t result = fevent(set, queue, &none);

        over += result == -ETIMEDOUT || result == 1;
        while (fqueue_next(queue) >= 0)
            ;
    }
    CHECK_RESULT(over, CALLS, "also when they are polled");

    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the flow is given back");
    agent_end(&pair.agent);
    fqueue_destroy(queue);
    fset_destroy(set);
}

static void * read_one(void * argument)
{
    char byte;

    return (void *) (intptr_t) flow_read(*(int *) argument, &byte, 1);
}

static void * write_many(void * argument)
{
    static char bytes[100000];
    ssize_t     result;

    do {
        result = flow_write(*(int *) argument, bytes, sizeof(bytes));
    } while (result > 0);

    return (void *) (intptr_t) result;
}

/* The sleeper is taken from the word that its wake-up comes to. */
static pthread_t moved_sleeper(struct flow_pair * pair,
                               void *             (*body)(void *),
                               const char *       who)
{
    pthread_t thread;
    long long moved = 0;

    *pair = flow_pair_start(who, NULL);
    MUST(pthread_create(&thread, NULL, body, &pair->fd) == 0, "a thread");
    while (moved == 0)
        moved = agent_on(&pair->agent, AGENT_REQUEUE, pair->peer);
    CHECK(moved > 0, "the peer moves a %s that sleeps (%lld)", who, moved);

    return thread;
}

static void check_result_of(pthread_t    thread,
                            const char * what)
{
    void * result;

    pthread_join(thread, &result);
    CHECK_RESULT((intptr_t) result, -EFLOWDOWN, "%s", what);
}

static void check_moved(void *       (*body)(void *),
                        const char * who)
{
    struct flow_pair pair;
    pthread_t        thread = moved_sleeper(&pair, body, who);

    agent_kill(&pair.agent);
    check_result_of(thread, "it learns of the peer's death");
    flow_dealloc(pair.fd);
}

/* It is closed here, in the other thread: its own alarm is enough. */
static void check_moved_and_closed(void)
{
    struct flow_pair pair;
    pthread_t        thread = moved_sleeper(&pair, read_one, "closed reader");

    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the flow is given back");
    check_result_of(thread, "who slept in it returns");
    agent_end(&pair.agent);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);
    check_empty_packets();
    check_moved(read_one, "reader");
    check_moved(write_many, "writer");
    check_moved_and_closed();
    return conformance_end();
}
