/*
 * Ouroboros: flow sets in the event loops of others (fqueue.h, extension)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static const struct timespec zero = { 0, 0 };

static bool is_readable(int pollfd,
                        int milliseconds)
{
    struct pollfd one = { pollfd, POLLIN, 0 };

    return poll(&one, 1, milliseconds) == 1 && (one.revents & POLLIN) != 0;
}

/* As a loop does when it was told: all there is, until there is nothing. */
static int take_all(fset_t *   set,
                    fqueue_t * queue,
                    bool       read)
{
    char bytes[100];
    int  count = 0;
    int  fd;

    while (fevent(set, queue, &zero) == 1)
        while ((fd = fqueue_next(queue)) >= 0)
            if (fqueue_type(queue) == FLOW_PKT) {
                count++;
                if (read)
                    MUST(flow_read(fd, bytes, sizeof(bytes)) > 0, "a message");
            } else {
                count += 1000;
            }

    return count;
}

static void check_one(struct flow_pair * pair)
{
    fset_t *   set = fset_create();
    fqueue_t * queue = fqueue_create();
    int        pollfd;
    int        round;

    CHECK_RESULT(fset_pollfd(NULL), -EINVAL, "no descriptor of no set");
    REQUIRE((pollfd = fset_pollfd(set)) >= 0, "an empty set has one");
    CHECK_RESULT(fset_pollfd(set), pollfd, "and always the same");
    take_all(set, queue, true);
    CHECK(!is_readable(pollfd, 0), "of which nothing can be read");

    MUST(fset_add(set, pair->fd) == 0, "a flow");
    take_all(set, queue, true);
    CHECK(!is_readable(pollfd, 0), "a flow without messages");
    for (round = 0; round < 3; round++) {
        MUST(agent_write(&pair->agent, pair->peer, 10, 0) == 10, "one");
        CHECK(is_readable(pollfd, -1), "a message makes it readable");
        CHECK(is_readable(pollfd, 0), "and it stays so");
        CHECK_RESULT(take_all(set, queue, true), 1, "until it is taken");
        CHECK(!is_readable(pollfd, 0), "then it is not any more");
    }

    MUST(agent_write(&pair->agent, pair->peer, 10, 0) == 10, "one");
    MUST(is_readable(pollfd, -1), "readable");
    CHECK_RESULT(fevent(set, queue, &zero), 1, "its event alone is fetched");
    MUST(fqueue_next(queue) == pair->fd, "the event");
    MUST(agent_write(&pair->agent, pair->peer, 10, 0) == 10, "one");
    CHECK(is_readable(pollfd, -1), "the next one is seen all the same");
    CHECK_RESULT(take_all(set, queue, false), 1, "and fetched");
    MUST(agent_many(&pair->agent, AGENT_SEND, pair->peer, 500, 10, 0) == 500,
         "many");
    CHECK(is_readable(pollfd, -1), "many make it readable");
    CHECK_RESULT(take_all(set, queue, false), 500, "and all are there");

    fset_del(set, pair->fd);
    take_all(set, queue, false);
    MUST(agent_write(&pair->agent, pair->peer, 10, 0) == 10, "one");
    CHECK(!is_readable(pollfd, 0), "a flow outside says nothing");
    MUST(fset_add(set, pair->fd) == 0, "it comes back");
    CHECK(is_readable(pollfd, -1), "with what it has");
    fset_destroy(set);
    CHECK_RESULT(fcntl(pollfd, F_GETFD), -1, "it ends with the set");
    fqueue_destroy(queue);
}

/* Two sets with flows to the same process, which share its bell. */
static void * wait_for_event(void * set)
{
    fqueue_t * queue = fqueue_create();
    int        fd;

    MUST(fevent(set, queue, NULL) == 1, "an event");
    fd = fqueue_next(queue);
    fqueue_destroy(queue);

    return (void *) (intptr_t) fd;
}

static void check_two(void)
{
    const char *     name = own_name("two");
    struct flow_pair pair = flow_pair_start("first", NULL);
    fset_t *         sets[2] = { fset_create(), fset_create() };
    fqueue_t *       queue = fqueue_create();
    pthread_t        thread;
    void *           result;
    int              fd, peer, pollfd, round;

    MUST(agent_bind(&pair.agent, name) == 0, "another name");
    flow_pair_more(&pair.agent, name, NULL, &fd, &peer);
    MUST(fset_add(sets[0], pair.fd) == 0 && fset_add(sets[1], fd) == 0, "add");
    pollfd = fset_pollfd(sets[0]);
    take_all(sets[0], queue, true);
    for (round = 0; round < 20; round++) {
        pthread_create(&thread, NULL, wait_for_event, sets[1]);
        /* What rings for the one set is heard, and taken, by the other. */
        MUST(agent_write(&pair.agent, pair.peer, 10, 0) == 10, "for the one");
        MUST(is_readable(pollfd, -1), "readable");
        MUST(take_all(sets[0], queue, true) == 1, "taken");
        MUST(agent_write(&pair.agent, peer, 10, 0) == 10, "for the other");
        pthread_join(thread, &result);
        MUST((int) (intptr_t) result == fd, "heard");
        MUST(flow_read(fd, result = malloc(100), 100) == 10, "read");
        free(result);
    }
    CHECK(true, "two sets that share a bell hear it each");
    fset_destroy(sets[0]);
    fset_destroy(sets[1]);
    fqueue_destroy(queue);
    flow_dealloc(fd);
    flow_pair_end(&pair);
}

/* With epoll, edge-triggered, as some loops have it. */
static void check_edges(struct flow_pair * pair)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };
    fset_t *           set = fset_create();
    fqueue_t *         queue = fqueue_create();
    int                epoll = epoll_create1(0);
    int                seen = 0;

    MUST(fset_add(set, pair->fd) == 0, "a flow");
    take_all(set, queue, true);
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fset_pollfd(set), &event) == 0, "it");
    take_all(set, queue, true);
    agent_begin(&pair->agent, agent_messages(AGENT_SEND, pair->peer, 3000, 10,
                                             0));
    while (seen < 3000) {
        MUST(epoll_wait(epoll, &event, 1, -1) == 1, "an edge");
        seen += take_all(set, queue, true);
    }
    CHECK_RESULT(seen, 3000, "edges lose nothing");
    CHECK_RESULT(agent_finish(&pair->agent).result, 3000, "of 3,000 messages");
    close(epoll);
    fset_destroy(set);
    fqueue_destroy(queue);
}

/* Who waits for a set with a dead flow sleeps. */
static void check_dead(void)
{
    struct flow_pair pair = flow_pair_start("dead", NULL);
    struct timespec  moment = { 0, 300000000 };
    struct rusage    before, after;
    fset_t *         set = fset_create();
    fqueue_t *       queue = fqueue_create();

    MUST(fset_add(set, pair.fd) == 0, "a flow");
    agent_kill(&pair.agent);
    MUST(fevent(set, queue, NULL) == 1, "its end");
    MUST(fqueue_next(queue) == pair.fd && fqueue_type(queue) == FLOW_DEALLOC,
         "is told");
    getrusage(RUSAGE_SELF, &before);
    CHECK_RESULT(fevent(set, queue, &moment), -ETIMEDOUT, "once");
    getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_nvcsw - before.ru_nvcsw < 50
          && after.ru_utime.tv_usec + after.ru_stime.tv_usec
             - before.ru_utime.tv_usec - before.ru_stime.tv_usec < 150000,
          "and nobody turns in circles meanwhile");
    fset_destroy(set);
    fqueue_destroy(queue);
    flow_dealloc(pair.fd);
}

/*
 * A thread that is cancelled while it changes a set has changed it, and holds
 * nobody up: what it does for those who poll is no place to end in.
 */
struct change {
    fset_t * set;
    int      fd;
};

static void * change_cancelled(void * argument)
{
    struct change * change = argument;

    pthread_cancel(pthread_self());
    fset_add(change->set, change->fd);
    pthread_testcancel();

    return NULL;
}

static void check_cancelled(struct flow_pair * pair)
{
    struct change change = { fset_create(), pair->fd };
    fqueue_t *    queue = fqueue_create();
    pthread_t     thread;
    void *        result = NULL;

    MUST(fset_pollfd(change.set) >= 0, "a descriptor");
    take_all(change.set, queue, true);
    MUST(pthread_create(&thread, NULL, change_cancelled, &change) == 0, "a thread");
    pthread_join(thread, &result);
    CHECK(result == PTHREAD_CANCELED, "a thread is cancelled");
    CHECK(fset_has(change.set, pair->fd), "after it has put a flow into a set");
    fset_destroy(change.set);
    fqueue_destroy(queue);
}

/* The parent's descriptor means nothing to a child, which can have its own. */
static int in_a_child(void * set)
{
    int pollfd = fset_pollfd(set);

    return pollfd >= 0 && is_readable(pollfd, 0);
}

static void check_fork(struct flow_pair * pair)
{
    fset_t *   set = fset_create();
    fqueue_t * queue = fqueue_create();
    int        pollfd = fset_pollfd(set);

    MUST(fset_add(set, pair->fd) == 0, "a flow");
    take_all(set, queue, true);
    CHECK_RESULT(in_child(in_a_child, set), 1, "a child can poll a set");
    MUST(agent_write(&pair->agent, pair->peer, 10, 0) == 10, "one");
    CHECK(is_readable(pollfd, -1), "and does not disturb its parent");
    take_all(set, queue, true);
    fset_destroy(set);
    fqueue_destroy(queue);
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair pair;

    conformance_begin(argc, argv);

    pair = flow_pair_start("pollfd", NULL);
    check_one(&pair);
    MUST(read_message(pair.fd, 100, 0) == 10, "what was left");
    while (fccntl(pair.fd, FLOWSFLAGS, (uint32_t) (FLOWFRDWR | FLOWFRNOBLOCK))
           == 0 && flow_read(pair.fd, (char[100]) { 0 }, 100) > 0)
        ;
    fccntl(pair.fd, FLOWSFLAGS, (uint32_t) FLOWFRDWR);
    check_edges(&pair);
    check_fork(&pair);
    check_cancelled(&pair);
    flow_pair_end(&pair);
    check_two();
    check_dead();

    return conformance_end();
}
