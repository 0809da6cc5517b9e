/*
 * Ouroboros: events for room (c-api §7, extension)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#define MESSAGE 1000

static const struct timespec zero = { 0, 0 };

struct waiter {
    struct flow_pair pair;
    fset_t *         set;
    fqueue_t *       queue;
};

static struct waiter begin(const char * tag)
{
    struct waiter waiter;

    waiter.pair = flow_pair_start(tag, NULL);
    waiter.set = fset_create();
    waiter.queue = fqueue_create();
    MUST(waiter.set != NULL && waiter.queue != NULL, "a set and a queue");
    MUST(fset_add(waiter.set, waiter.pair.fd) == 0, "the flow is in the set");
    MUST(fccntl(waiter.pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFWNOBLOCK) == 0,
         "the writer does not wait");
    return waiter;
}

static void destroy(struct waiter * waiter)
{
    fset_destroy(waiter->set);
    fqueue_destroy(waiter->queue);
}

static void end(struct waiter * waiter)
{
    destroy(waiter);
    flow_pair_end(&waiter->pair);
}

/* Messages until one is refused; how many went. */
static uint32_t fill_up(struct waiter * waiter)
{
    uint32_t sent = 0;
    ssize_t  result;

    while ((result = write_message(waiter->pair.fd, MESSAGE, sent)) == MESSAGE)
        sent++;
    MUST(result == -EAGAIN, "the flow is full");
    return sent;
}

static void let_read(struct waiter * waiter,
                     uint32_t        count,
                     uint32_t        seed)
{
    MUST(agent_many(&waiter->pair.agent, AGENT_RECEIVE, waiter->pair.peer,
                    count, MESSAGE, seed) == count, "%u are read", count);
}

/* The types of all events of the flow that are there, added. */
static int events(struct waiter *         waiter,
                  const struct timespec * timeout)
{
    int types = 0;

    if (fevent(waiter->set, waiter->queue, timeout) < 0)
        return 0;
    while (fqueue_next(waiter->queue) == waiter->pair.fd)
        types += (int) fqueue_type(waiter->queue);
    return types;
}

static void check_arguments(void)
{
    fset_t * set = fset_create();

    CHECK_RESULT(fset_want(NULL, FLOW_ROOM), -EINVAL, "no set");
    CHECK_RESULT(fset_want(set, FLOW_PKT), -EINVAL,
                 "an event that every set has");
    CHECK_RESULT(fset_want(set, FLOW_ROOM | 128), -EINVAL,
                 "an event that there is not");
    CHECK_RESULT(fset_want(set, -1), -EINVAL, "and no number of events");
    CHECK_RESULT(fset_want(set, FLOW_ROOM), 0, "a set tells of room");
    CHECK_RESULT(fset_want(set, 0), 0, "and does not any more");
    fset_destroy(set);
}

static void check_event(void)
{
    struct waiter waiter = begin("event");
    uint32_t      sent;
    int           round;

    CHECK_RESULT(fset_want(waiter.set, FLOW_ROOM), 0, "the set tells of room");
    CHECK_RESULT(events(&waiter, &zero), 0, "there is no event at first");
    for (round = 0; round < 3; round++) {
        sent = fill_up(&waiter);
        CHECK_RESULT(write_message(waiter.pair.fd, MESSAGE, 0), -EAGAIN,
                     "a message is refused twice");
        CHECK_RESULT(events(&waiter, &zero), 0, "nothing is read yet");
        let_read(&waiter, 1, 0);
        CHECK_RESULT(events(&waiter, NULL), FLOW_ROOM,
                     "one is read: there is room");
        let_read(&waiter, sent - 1, 1);
        CHECK_RESULT(events(&waiter, &zero), 0, "the event comes once");
        CHECK_RESULT(write_message(waiter.pair.fd, MESSAGE, 0), MESSAGE,
                     "a message goes");
        let_read(&waiter, 1, 0);
        CHECK_RESULT(events(&waiter, &zero), 0,
                     "there is no event without a refusal");
    }
    end(&waiter);
}

/* A program as it was written for 0.23 waits, and gets what it knows. */
static void check_others(void)
{
    struct waiter waiter = begin("others");
    uint32_t      sent = fill_up(&waiter);

    let_read(&waiter, sent, 0);
    CHECK_RESULT(events(&waiter, &zero), 0, "who has not asked has no event");
    MUST(agent_write(&waiter.pair.agent, waiter.pair.peer, 10, 0) == 10, "one");
    CHECK_RESULT(events(&waiter, NULL), FLOW_PKT, "but others");
    CHECK_RESULT(fset_want(waiter.set, FLOW_ROOM), 0, "it asks");
    CHECK_RESULT(events(&waiter, NULL), FLOW_ROOM,
                 "and hears of what was refused before");
    end(&waiter);
}

static void check_bytes(void)
{
    struct waiter waiter = begin("bytes");
    uint32_t      i;

    fset_want(waiter.set, FLOW_ROOM);
    for (i = 0; i < 100; i++)
        MUST(write_message(waiter.pair.fd, MESSAGE, i) == MESSAGE, "a message");
    CHECK_RESULT(write_message(waiter.pair.fd, 1500000, 0), -EAGAIN,
                 "a message above the limit needs an empty flow");
    let_read(&waiter, 99, 0);
    CHECK_RESULT(events(&waiter, &zero), 0, "which it is not yet");
    let_read(&waiter, 1, 99);
    CHECK_RESULT(events(&waiter, NULL), FLOW_ROOM, "now it is");
    CHECK_RESULT(write_message(waiter.pair.fd, 1500000, 0), 1500000,
                 "and the message goes");
    CHECK_RESULT(write_message(waiter.pair.fd, 1500000, 0), -EAGAIN,
                 "the next does not");
    CHECK_RESULT(write_message(waiter.pair.fd, 10, 0), -EAGAIN,
                 "nor does a short one");
    CHECK_RESULT(agent_read(&waiter.pair.agent, waiter.pair.peer, LARGEST, 0),
                 1500000, "it is read");
    CHECK_RESULT(events(&waiter, NULL), FLOW_ROOM, "one event for both");
    CHECK_RESULT(events(&waiter, &zero), 0, "and no more");
    end(&waiter);
}

/* Pieces, places and limits of time are refused as well. */
static void check_other_calls(void)
{
    struct waiter   waiter = begin("calls");
    struct timespec time = { 0, 0 };
    struct iovec    piece;
    void *          place;
    char            bytes[MESSAGE];
    uint32_t        sent;
    int             call;

    fset_want(waiter.set, FLOW_ROOM);
    for (call = 0; call < 3; call++) {
        sent = fill_up(&waiter);
        let_read(&waiter, 1, 0);
        CHECK_RESULT(events(&waiter, NULL), FLOW_ROOM, "room for one");
        MUST(write_message(waiter.pair.fd, MESSAGE, sent) == MESSAGE, "it goes");
        piece.iov_base = bytes;
        piece.iov_len = sizeof(bytes);
        switch (call) {
        case 0:
            CHECK_RESULT(flow_writev(waiter.pair.fd, &piece, 1), -EAGAIN,
                         "flow_writev is refused");
            break;
        case 1:
            CHECK_RESULT(flow_reserve(waiter.pair.fd, &place, MESSAGE),
                         -EAGAIN, "flow_reserve is refused");
            break;
        default:
            fccntl(waiter.pair.fd, FLOWSFLAGS, FLOWFDEFAULT);
            fccntl(waiter.pair.fd, FLOWSSNDTIMEO, &time);
            CHECK_RESULT(flow_write(waiter.pair.fd, bytes, sizeof(bytes)),
                         -ETIMEDOUT, "flow_write has no more time");
        }
        let_read(&waiter, sent, 1);
        CHECK_RESULT(events(&waiter, NULL), FLOW_ROOM, "and has its event");
    }
    end(&waiter);
}

static void check_pollfd(void)
{
    struct waiter waiter = begin("pollfd");
    struct pollfd one = { -1, POLLIN, 0 };
    uint32_t      sent;
    int           types;

    fset_want(waiter.set, FLOW_ROOM);
    one.fd = fset_pollfd(waiter.set);
    while (events(&waiter, &zero) != 0)
        ;
    sent = fill_up(&waiter);
    CHECK_RESULT(events(&waiter, &zero), 0, "there is no room");
    CHECK_RESULT(poll(&one, 1, 0), 0, "and the descriptor is not readable");
    let_read(&waiter, sent, 0);
    for (types = 0; types == 0; types = events(&waiter, &zero))
        MUST(poll(&one, 1, -1) == 1, "it becomes readable");
    CHECK_RESULT(types, FLOW_ROOM, "for room");
    CHECK_RESULT(events(&waiter, &zero), 0, "which was all");
    CHECK_RESULT(poll(&one, 1, 0), 0, "it is not readable any more");
    end(&waiter);
}

static void check_end_of_peer(bool is_killed)
{
    struct waiter waiter = begin(is_killed ? "killed" : "ends");

    fset_want(waiter.set, FLOW_ROOM);
    fill_up(&waiter);
    CHECK_RESULT(events(&waiter, &zero), 0, "no room");
    if (is_killed)
        agent_kill(&waiter.pair.agent);
    else
        MUST(agent_on(&waiter.pair.agent, AGENT_DEALLOC, waiter.pair.peer) == 0,
             "the reader deallocates");
    CHECK_RESULT(events(&waiter, NULL), FLOW_DEALLOC, "the end comes instead");
    CHECK_RESULT(events(&waiter, &zero), 0, "and no room");
    destroy(&waiter);
    flow_dealloc(waiter.pair.fd);
    if (!is_killed)
        agent_end(&waiter.pair.agent);
}

static void check_stopped_peer(void)
{
    struct waiter waiter = begin("stopped");
    uint32_t      sent;

    fset_want(waiter.set, FLOW_ROOM);
    sent = fill_up(&waiter);
    kill(waiter.pair.agent.pid, SIGSTOP);
    CHECK_RESULT(events(&waiter, &zero), 0, "a peer that is stopped");
    kill(waiter.pair.agent.pid, SIGCONT);
    let_read(&waiter, sent, 0);
    CHECK_RESULT(events(&waiter, NULL), FLOW_ROOM, "and goes on");
    end(&waiter);
}

/* Two sets with flows to one process, each with a thread that waits. */
static void * stream(void * argument)
{
    struct waiter * waiter = argument;
    char            message[MESSAGE];
    unsigned        seed = 0;
    ssize_t         result;

    while (seed < 20000) {
        fill(message, sizeof(message), seed);
        result = flow_write(waiter->pair.fd, message, sizeof(message));
        if (result == MESSAGE)
            seed++;
        else if (result != -EAGAIN || events(waiter, NULL) != FLOW_ROOM)
            return "not ok";
    }
    return NULL;
}

static void check_sets(void)
{
    struct waiter        waiters[2];
    struct agent_command receive;
    pthread_t            threads[2];
    void *               results[2];
    int                  i;

    for (i = 0; i < 2; i++) {
        waiters[i] = begin(i == 0 ? "first" : "second");
        fset_want(waiters[i].set, FLOW_ROOM);
        receive = agent_messages(AGENT_RECEIVE, waiters[i].pair.peer, 20000,
                                 MESSAGE, 0);
        pthread_create(&threads[i], NULL, stream, &waiters[i]);
        agent_begin(&waiters[i].pair.agent, receive);
    }
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], &results[i]);
        CHECK(results[i] == NULL, "each refusal has its event");
        CHECK_RESULT(agent_finish(&waiters[i].pair.agent).result, 20000,
                     "and all is read");
        end(&waiters[i]);
    }
}

/* A child makes a set of its own, of a flow that it has inherited. */
static int write_in_child(void * argument)
{
    struct waiter * waiter = argument;

    fset_del(waiter->set, waiter->pair.fd);
    waiter->set = fset_create();
    waiter->queue = fqueue_create();
    if (fset_want(waiter->set, FLOW_ROOM) < 0
        || fset_add(waiter->set, waiter->pair.fd) < 0)
        return 1;
    return stream(waiter) == NULL ? 0 : 2;
}

static void check_fork(void)
{
    struct waiter        waiter = begin("fork");
    struct waiter        copy = waiter;
    struct agent_command receive;

    fset_want(waiter.set, FLOW_ROOM);
    receive = agent_messages(AGENT_RECEIVE, waiter.pair.peer, 20000, MESSAGE,
                             0);
    fset_del(waiter.set, waiter.pair.fd);
    agent_begin(&waiter.pair.agent, receive);
    CHECK_RESULT(in_child(write_in_child, &copy), 0,
                 "a child waits for room of a flow of its parent");
    CHECK_RESULT(agent_finish(&waiter.pair.agent).result, 20000,
                 "and all is read");
    end(&waiter);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_arguments();
    check_event();
    check_others();
    check_bytes();
    check_other_calls();
    check_pollfd();
    check_end_of_peer(false);
    check_end_of_peer(true);
    check_stopped_peer();
    check_sets();
    check_fork();

    return conformance_end();
}
