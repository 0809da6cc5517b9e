/*
 * Ouroboros: writing and reading in place (dev.h, extensions)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <pthread.h>

static void set_flags(int      fd,
                      uint32_t flags)
{
    MUST(fccntl(fd, FLOWSFLAGS, flags) == 0, "flags");
}

/* Messages that the other end has not read. */
static size_t unread(int fd)
{
    size_t count = 0;

    MUST(fccntl(fd, FLOWGTXQLEN, &count) == 0, "a queue's length");

    return count;
}

static void check_arguments(int fd)
{
    void *       place;
    const void * message;

    CHECK_RESULT(flow_reserve(fd, NULL, 1), -EINVAL, "no place for a place");
    CHECK_RESULT(flow_peek(fd, NULL), -EINVAL, "nor for a message");
    CHECK_RESULT(flow_reserve(LAST_FD + 1, &place, 1), -EBADF, "reserve");
    CHECK_RESULT(flow_commit(LAST_FD + 1, 1), -EBADF, "commit");
    CHECK_RESULT(flow_peek(LAST_FD + 1, &message), -EBADF, "peek");
    CHECK_RESULT(flow_release(LAST_FD + 1), -EBADF, "release");
    CHECK_RESULT(flow_reserve(200, &place, 1), -ENOTALLOC, "no flow");
    CHECK_RESULT(flow_peek(200, &message), -ENOTALLOC, "nor to read from");
    CHECK_RESULT(flow_reserve(fd, &place, (size_t) 1 << 40), -EMSGSIZE,
                 "more than a flow carries");
    CHECK_RESULT(flow_reserve(fd, &place, SIZE_MAX), -EMSGSIZE,
                 "more than there is");
    CHECK_RESULT(flow_commit(fd, 1), -EINVAL, "nothing was reserved");
    CHECK_RESULT(flow_release(fd), -EINVAL, "nothing is held");
}

static void check_writing(struct flow_pair * pair)
{
    const size_t sizes[] = { 1, 64, 1500, 100000, 1000000 };
    void *       place = NULL;
    void *       other;
    size_t       i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        REQUIRE(flow_reserve(pair->fd, &place, sizes[i])
                == (ssize_t) sizes[i], "room for %zu bytes", sizes[i]);
        fill(place, sizes[i], (unsigned) i);
        CHECK_RESULT(flow_commit(pair->fd, sizes[i]), (long long) sizes[i],
                     "they are sent");
        CHECK_RESULT(agent_read(&pair->agent, pair->peer, sizes[i] + 1,
                                (unsigned) i), (long long) sizes[i],
                     "and arrive");
    }

    REQUIRE(flow_reserve(pair->fd, &place, 500) == 500, "room for 500 bytes");
    CHECK_RESULT(flow_reserve(pair->fd, &other, 500), -EBUSY,
                 "one place at a time");
    CHECK_RESULT(write_message(pair->fd, 10, 0), -EBUSY,
                 "and no other message before it");
    CHECK_RESULT(flow_commit(pair->fd, 501), -EMSGSIZE, "it has no 501");
    fill(place, 20, 7);
    CHECK_RESULT(flow_commit(pair->fd, 20), 20, "but 20 are enough");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 600, 7), 20,
                 "so 20 arrive");
    CHECK_RESULT(flow_commit(pair->fd, 20), -EINVAL, "not twice");

    REQUIRE(flow_reserve(pair->fd, &place, 500) == 500, "room again");
    CHECK_RESULT(flow_commit(pair->fd, 0), 0, "given back");
    CHECK_RESULT(write_message(pair->fd, 30, 8), 30, "the next is written");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 600, 8), 30,
                 "and is the next that arrives");

    set_flags(pair->fd, FLOWFRDONLY);
    CHECK_RESULT(flow_reserve(pair->fd, &place, 1), -EPERM, "read only");
    set_flags(pair->fd, FLOWFRDWR | FLOWFWNOBLOCK);
    while (flow_reserve(pair->fd, &place, 100000) == 100000)
        flow_commit(pair->fd, 100000);
    CHECK_RESULT(flow_reserve(pair->fd, &place, 100000), -EAGAIN, "full");
    set_flags(pair->fd, FLOWFRDWR);
    while (unread(pair->fd) > 0)
        MUST(agent_read(&pair->agent, pair->peer, 100001, 0) != -EAGAIN,
             "the other end reads");
}

static void check_reading(struct flow_pair * pair)
{
    const void * message = NULL;
    const void * other;
    char         bytes[100];

    MUST(agent_write(&pair->agent, pair->peer, 90, 1) == 90, "one comes");
    MUST(agent_write(&pair->agent, pair->peer, 70000, 2) == 70000, "another");
    REQUIRE(flow_peek(pair->fd, &message) == 90, "the oldest is shown");
    CHECK(holds(message, 90, 0, 1), "as it was sent");
    CHECK_RESULT(flow_peek(pair->fd, &other), -EBUSY, "one at a time");
    CHECK_RESULT(flow_read(pair->fd, bytes, 100), -EBUSY, "and not read");
    CHECK_RESULT(flow_release(pair->fd), 0, "released");
    CHECK_RESULT(flow_release(pair->fd), -EINVAL, "once");

    CHECK_RESULT(flow_read(pair->fd, bytes, 100), 100, "a part of the next");
    REQUIRE(flow_peek(pair->fd, &message) == 69900, "the rest is shown");
    CHECK(holds(message, 69900, 100, 2), "from there on");
    CHECK_RESULT(flow_release(pair->fd), 0, "released");

    set_flags(pair->fd, FLOWFRDWR | FLOWFRNOBLOCK);
    CHECK_RESULT(flow_peek(pair->fd, &message), -EAGAIN, "nothing is left");
    MUST(agent_write(&pair->agent, pair->peer, 0, 0) == 0, "an empty one");
    CHECK_RESULT(flow_peek(pair->fd, &message), -EAGAIN, "is not shown");
    set_flags(pair->fd, FLOWFWRONLY);
    CHECK_RESULT(flow_peek(pair->fd, &message), -EPERM, "write only");
    set_flags(pair->fd, FLOWFRDWR);
}

/* A child of this process shares the flow, but not what is held of it. */
static int in_a_child(void * argument)
{
    int          fd = *(int *) argument;
    const void * message;
    void *       place;

    return flow_reserve(fd, &place, 10) == -EBUSY
        && flow_commit(fd, 10) == -EINVAL
        && flow_peek(fd, &message) == -EBUSY && flow_release(fd) == -EINVAL;
}

/* This one dies with a place and a message. */
static int dies_holding(void * argument)
{
    int          fd = *(int *) argument;
    const void * message;
    void *       place;

    return flow_reserve(fd, &place, 10) == 10
        && flow_peek(fd, &message) == 40;
}

static void check_forks(struct flow_pair * pair)
{
    const void * message;
    void *       place;

    MUST(agent_write(&pair->agent, pair->peer, 40, 3) == 40, "one comes");
    MUST(flow_reserve(pair->fd, &place, 10) == 10, "a place");
    MUST(flow_peek(pair->fd, &message) == 40, "a message");
    CHECK_RESULT(in_child(in_a_child, &pair->fd), 1,
                 "a child can neither use them nor pass by them");
    fill(place, 10, 4);
    CHECK_RESULT(flow_commit(pair->fd, 10), 10, "they are ours");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 20, 4), 10, "still");
    CHECK_RESULT(flow_release(pair->fd), 0, "both");

    MUST(agent_write(&pair->agent, pair->peer, 40, 5) == 40, "one comes");
    CHECK_RESULT(in_child(dies_holding, &pair->fd), 1,
                 "a child dies with a place and a message");
    CHECK_RESULT(read_message(pair->fd, 50, 5), 40, "it was not read");
    CHECK_RESULT(write_message(pair->fd, 12, 6), 12, "nor is the way blocked");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 20, 6), 12, "at all");
}

/* Another thread ends the flow while this one has its memory in hands. */
static void * deallocate(void * fd)
{
    return flow_dealloc(*(int *) fd) == 0 ? fd : NULL;
}

static void check_end(struct flow_pair * pair)
{
    const void * message;
    void *       place;
    void *       result = NULL;
    pthread_t    thread;
    int          fd = pair->fd;

    MUST(agent_write(&pair->agent, pair->peer, 50000, 9) == 50000, "one");
    MUST(flow_reserve(fd, &place, 50000) == 50000, "a place");
    MUST(flow_peek(fd, &message) == 50000, "a message");
    MUST(pthread_create(&thread, NULL, deallocate, &fd) == 0, "a thread");
    pthread_join(thread, &result);
    CHECK(result != NULL, "a thread deallocates the flow");
    CHECK(holds(message, 50000, 0, 9), "its message can still be read");
    fill(place, 50000, 1);
    CHECK(holds(place, 50000, 0, 1), "its place can still be written");
    CHECK_RESULT(flow_commit(fd, 50000), -EFLOWDOWN, "but not be sent");
    CHECK_RESULT(flow_release(fd), -EFLOWDOWN, "the message is gone as well");
    CHECK_RESULT(flow_commit(fd, 1), -EINVAL, "nothing is held any more");
    CHECK_RESULT(flow_release(fd), -EINVAL, "of either kind");
}

static void check_peer_gone(void)
{
    struct flow_pair pair = flow_pair_start("gone", NULL);
    const void *     message;
    void *           place;

    MUST(agent_write(&pair.agent, pair.peer, 60, 1) == 60, "a message");
    MUST(flow_reserve(pair.fd, &place, 10) == 10, "a place");
    MUST(flow_peek(pair.fd, &message) == 60, "the message");
    agent_kill(&pair.agent);
    while (write_message(pair.fd, 1, 0) == -EBUSY)
        ;
    CHECK(holds(message, 60, 0, 1), "the message of a dead peer is there");
    CHECK_RESULT(flow_commit(pair.fd, 10), -EFLOWDOWN, "its place is of no use");
    CHECK_RESULT(flow_release(pair.fd), 0, "the message is read");
    CHECK_RESULT(flow_peek(pair.fd, &message), -EFLOWDOWN, "it was the last");
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the flow is deallocated");
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair pair;

    conformance_begin(argc, argv);

    pair = flow_pair_start("in-place", NULL);
    check_arguments(pair.fd);
    check_writing(&pair);
    check_reading(&pair);
    check_forks(&pair);
    check_end(&pair);
    agent_end(&pair.agent);
    check_peer_gone();

    return conformance_end();
}
