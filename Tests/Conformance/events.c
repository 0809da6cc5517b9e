/*
 * Ouroboros: waiting for events (c-api §7)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <pthread.h>

static const struct timespec zero = { 0, 0 };

static void feed(struct flow_pair * pair,
                 uint32_t           count)
{
    MUST(agent_many(&pair->agent, AGENT_SEND, pair->peer, count, 10, 0)
         == count, "%u messages go", count);
}

/* How many events wait in the queue, if each is a message of the flow. */
static int take_messages(fqueue_t * queue,
                         int        fd)
{
    int count = 0;
    int next;

    while ((next = fqueue_next(queue)) == fd && fqueue_type(queue) == FLOW_PKT)
        count++;

    return next == -EPERM ? count : -1;
}

/* The same, fetching until nothing more is there. */
static int take_all(fset_t *   set,
                    fqueue_t * queue,
                    int        fd)
{
    int count = 0;
    int some;

    while (fevent(set, queue, &zero) == 1) {
        some = take_messages(queue, fd);
        if (some <= 0)
            return -1;
        count += some;
    }

    return count;
}

static void check_arguments(void)
{
    fset_t *   set = fset_create();
    fqueue_t * queue = fqueue_create();

    REQUIRE(set != NULL && queue != NULL, "a set and a queue");
    CHECK_RESULT(fevent(NULL, queue, &zero), -EINVAL, "a set of NULL");
    CHECK_RESULT(fevent(set, NULL, &zero), -EINVAL, "a queue of NULL");
    CHECK_RESULT(fqueue_next(NULL), -EINVAL, "fqueue_next of NULL");
    CHECK_RESULT((int) fqueue_type(NULL), -EINVAL, "fqueue_type of NULL");
    CHECK_RESULT(fqueue_next(queue), -EPERM, "fqueue_next of an empty queue");
    CHECK_RESULT((int) fqueue_type(queue), -EPERM,
                 "fqueue_type of an empty queue");
    CHECK_RESULT(fevent(set, queue, &zero), -ETIMEDOUT, "an empty set");
    fqueue_destroy(queue);
    fset_destroy(set);
}

static void check_timeout(fset_t *   set,
                          fqueue_t * queue)
{
    const int64_t   limits[] = { 0, 1, 60, 700 };
    struct timespec time;
    int64_t         begun;
    size_t          i;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        begun = now_ms();
        CHECK_RESULT(fevent(set, queue, interval(&time, limits[i])),
                     -ETIMEDOUT, "no event in %lld ms", (long long) limits[i]);
        CHECK(now_ms() - begun >= limits[i], "not before they are over");
    }
}

static void check_count(struct flow_pair * pair,
                        fset_t *           set,
                        fqueue_t *         queue)
{
    feed(pair, 3);
    CHECK_RESULT(fevent(set, queue, NULL), 1,
                 "fevent gives 1, however many events there are");
    CHECK_RESULT((int) fqueue_type(queue), -EPERM,
                 "fqueue_type before the first fqueue_next");
    CHECK_RESULT(fqueue_next(queue), pair->fd, "the event is of the flow");
    CHECK_RESULT((int) fqueue_type(queue), FLOW_PKT, "and a message");
    CHECK_RESULT((int) fqueue_type(queue), FLOW_PKT, "also if asked again");
    CHECK_RESULT(1 + take_messages(queue, pair->fd)
                 + take_all(set, queue, pair->fd), 3,
                 "3 messages make 3 events");
    CHECK_RESULT(fevent(set, queue, &zero), -ETIMEDOUT,
                 "unread messages make no further ones");

    /* Issue 2 (a program that reads once per event never stalls); row: one. */
    fset_del(set, pair->fd);
    CHECK_RESULT(fset_add(set, pair->fd), 0, "the flow is added again");
    CHECK_RESULT(take_all(set, queue, pair->fd), 3,
                 "its 3 messages make 3 events");
    CHECK_RESULT(read_message(pair->fd, 100, 0), 10, "one is read");
    fset_zero(set);
    CHECK_RESULT(fset_add(set, pair->fd), 0, "the flow is added again");
    CHECK_RESULT(take_all(set, queue, pair->fd), 2, "the other 2 make 2");
    CHECK_RESULT(read_message(pair->fd, 100, 1), 10, "they are read: one");
    CHECK_RESULT(read_message(pair->fd, 100, 2), 10, "and the other");
}

/* Events left in a queue: 1 at once, nothing new is fetched. */
static void check_left(struct flow_pair * pair,
                       fset_t *           set,
                       fqueue_t *         queue)
{
    int count = 1;

    feed(pair, 2);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "there are events");
    CHECK_RESULT(fqueue_next(queue), pair->fd, "one is taken");
    feed(pair, 2);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "there are events still");
    count += take_messages(queue, pair->fd);
    CHECK(count <= 4, "the queue has no more than there were");
    count += take_all(set, queue, pair->fd);
    CHECK_RESULT(count, 4, "in the end each message made one");
    for (count = 0; count < 4; count++)
        MUST(read_message(pair->fd, 100, (unsigned) count % 2) == 10,
             "a message is read");
}

/* An empty message makes an event, and nothing to read for it. */
static void check_empty_message(struct flow_pair * pair,
                                fset_t *           set,
                                fqueue_t *         queue)
{
    MUST(agent_write(&pair->agent, pair->peer, 0, 0) == 0, "an empty message");
    feed(pair, 1);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "an empty message, and another");
    CHECK_RESULT(take_messages(queue, pair->fd)
                 + take_all(set, queue, pair->fd), 2, "make two events");
    CHECK_RESULT(read_message(pair->fd, 100, 0), 10, "that of the other");
}

static void check_own_doings(struct flow_pair * pair,
                             fset_t *           set,
                             fqueue_t *         queue)
{
    const char * name = own_name("own");
    int          fd;
    int          peer;

    MUST(agent_bind(&pair->agent, name) == 0, "another name");
    flow_pair_more(&pair->agent, name, NULL, &fd, &peer);
    MUST(fset_add(set, fd) == 0, "a flow is added");
    CHECK_RESULT(write_message(fd, 10, 0), 10, "it writes");
    fccntl(fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFDOWN);
    fccntl(fd, FLOWSFLAGS, FLOWFDEFAULT);
    CHECK_RESULT(flow_dealloc(fd), 0, "and is deallocated");
    CHECK_RESULT(fevent(set, queue, &zero), -ETIMEDOUT,
                 "what this process does makes no events for it");
    agent_on(&pair->agent, AGENT_DEALLOC, peer);
}

/* The count has no bound that a program could reach. */
static void check_very_many(struct flow_pair * pair,
                            fset_t *           set,
                            fqueue_t *         queue)
{
    int left = 5000;

    feed(pair, 5000);
    CHECK_RESULT(take_all(set, queue, pair->fd), 5000,
                 "5,000 messages make 5,000 events");
    while (left > 0 && flow_read(pair->fd, &(char[100]) { 0 }, 100) == 10)
        left--;
    CHECK_RESULT(left, 0, "and are all there");
}

static void * wait_for_event(void * set)
{
    fqueue_t * queue = fqueue_create();

    fevent(set, queue, NULL);
    return NULL;
}

/* A loop that polls must end, too: programs of the prototype rely on it. */
static void * poll_events(void * set)
{
    const struct timespec zero = { 0, 0 };
    fqueue_t *            queue = fqueue_create();

    for (;;)
        fevent(set, queue, &zero);
    return NULL;
}

static void * poll_flow(void * fd)
{
    const struct timespec zero = { 0, 0 };
    char                  byte;

    fccntl(*(int *) fd, FLOWSRCVTIMEO, &zero);
    for (;;)
        flow_read(*(int *) fd, &byte, 1);
    return NULL;
}

static void check_cancelled_polls(void)
{
    struct flow_pair pair = flow_pair_start("polls", NULL);
    fset_t *         set = fset_create();
    pthread_t        threads[2];
    void *           result = NULL;
    int              i;

    MUST(pthread_create(&threads[0], NULL, poll_events, set) == 0
         && pthread_create(&threads[1], NULL, poll_flow, &pair.fd) == 0,
         "two threads that poll");
    for (i = 0; i < 2; i++) {
        CHECK_RESULT(pthread_cancel(threads[i]), 0, "one is cancelled");
        CHECK_RESULT(pthread_join(threads[i], &result), 0, "it ends");
        CHECK(result == PTHREAD_CANCELED, "because of that");
    }
    fset_destroy(set);
    flow_pair_end(&pair);
}

static void check_cancelled(void)
{
    struct flow_pair pair = flow_pair_start("cancelled", NULL);
    fset_t *         set = fset_create();
    fqueue_t *       queue = fqueue_create();
    pthread_t        thread;
    void *           result = NULL;

    MUST(fset_add(set, pair.fd) == 0, "a flow is added");
    MUST(pthread_create(&thread, NULL, wait_for_event, set) == 0, "a thread");
    CHECK_RESULT(pthread_cancel(thread), 0, "a thread in fevent is cancelled");
    CHECK_RESULT(pthread_join(thread, &result), 0, "it ends");
    CHECK(result == PTHREAD_CANCELED, "because of that");
    feed(&pair, 1);
    CHECK_RESULT(fevent(set, queue, NULL), 1, "the set still works");
    fqueue_destroy(queue);
    fset_destroy(set);
    flow_pair_end(&pair);
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair pair;
    fset_t *         set;
    fqueue_t *       queue;

    conformance_begin(argc, argv);

    check_arguments();
    pair = flow_pair_start("events", NULL);
    set = fset_create();
    queue = fqueue_create();
    REQUIRE(fset_add(set, pair.fd) == 0, "a flow is added to a set");
    check_timeout(set, queue);
    check_count(&pair, set, queue);
    check_left(&pair, set, queue);
    check_empty_message(&pair, set, queue);
    check_own_doings(&pair, set, queue);
    check_very_many(&pair, set, queue);
    fqueue_destroy(queue);
    fset_destroy(set);
    flow_pair_end(&pair);
    check_cancelled();
    check_cancelled_polls();

    return conformance_end();
}
