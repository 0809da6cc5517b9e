/*
 * Ouroboros: statistics of a flow (fstatistics.h, an extension)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <ouroboros/fstatistics.h>

#include <time.h>

static struct flow_statistics statistics_of(int fd)
{
    struct flow_statistics st;

    memset(&st, 0xff, sizeof(st));
    MUST(flow_statistics(fd, &st, sizeof(st)) == 0, "statistics");

    return st;
}

static void check_arguments(int fd)
{
    struct flow_statistics st;

    CHECK_RESULT(flow_statistics(fd, NULL, sizeof(st)), -EINVAL, "no place");
    CHECK_RESULT(flow_statistics(fd, &st, 0), -EINVAL, "no room");
    CHECK_RESULT(flow_statistics(fd, &st, 7), -EINVAL, "less than a field");
    CHECK_RESULT(flow_statistics(fd, &st, 20), -EINVAL, "half a field");
    CHECK_RESULT(flow_statistics(fd, &st, 4104), -EINVAL, "too much");
    CHECK_RESULT(flow_statistics(fd, &st, SIZE_MAX), -EINVAL, "all there is");
    CHECK_RESULT(flow_statistics(-1, &st, sizeof(st)), -EBADF, "no number");
    CHECK_RESULT(flow_statistics(LAST_FD + 1, &st, sizeof(st)), -EBADF,
                 "no descriptor");
    CHECK_RESULT(flow_statistics(200, &st, sizeof(st)), -ENOTALLOC,
                 "no flow");
}

/* Programs of earlier and of later versions. */
static void check_sizes(int fd)
{
    union {
        struct flow_statistics st;
        uint64_t               fields[512];
    } place;
    size_t i;
    bool   right = true;

    memset(&place, 0xff, sizeof(place));
    CHECK_RESULT(flow_statistics(fd, &place.st, 8), 0, "the first field");
    CHECK(place.st.kind == FLOWSTAT_INSIDE && place.st.ending == UINT64_MAX,
          "and no other");
    CHECK_RESULT(flow_statistics(fd, &place.st, 4096), 0, "4,096 bytes");
    for (i = sizeof(struct flow_statistics) / 8; i < 512; i++)
        right &= place.fields[i] == 0;
    CHECK(right, "fields that do not exist yet are 0");
}

static void check_counts(struct flow_pair * pair)
{
    struct flow_statistics st = statistics_of(pair->fd);
    struct timespec        now;

    CHECK(st.kind == FLOWSTAT_INSIDE && st.ending == FLOWSTAT_OPEN,
          "the flow stays inside the host, and is open");
    MUST(clock_gettime(CLOCK_MONOTONIC, &now) == 0, "the time");
    CHECK(st.time > 0 && st.time <= (uint64_t) now.tv_sec * 1000000000
                                    + (uint64_t) now.tv_nsec,
          "the time is that of CLOCK_MONOTONIC");
    CHECK(st.messages_written == 0 && st.messages_read == 0
          && st.bytes_written == 0 && st.bytes_read == 0
          && st.messages_unread == 0 && st.packets_unacknowledged == 0,
          "nothing was written yet");
    CHECK(st.payload == 16777216, "the longest message");

    MUST(write_message(pair->fd, 1000, 1) == 1000, "a message");
    MUST(write_message(pair->fd, 500, 2) == 500, "another one");
    st = statistics_of(pair->fd);
    CHECK(st.messages_written == 2 && st.bytes_written == 1500,
          "what is written is counted");
    CHECK(st.packets_unacknowledged == 2 && st.bytes_unacknowledged == 0,
          "and that it was not taken");
    MUST(agent_read(&pair->agent, pair->peer, 2000, 1) == 1000, "it is read");
    st = statistics_of(pair->fd);
    CHECK(st.packets_unacknowledged == 1, "then one of the two was taken");

    MUST(agent_write(&pair->agent, pair->peer, 300, 3) == 300, "back");
    st = statistics_of(pair->fd);
    CHECK(st.messages_unread == 1 && st.messages_read == 0, "it is unread");
    MUST(read_message(pair->fd, 1000, 3) == 300, "then read");
    st = statistics_of(pair->fd);
    CHECK(st.messages_read == 1 && st.bytes_read == 300
          && st.messages_unread == 0, "and counted");
    CHECK(st.rtt == 0 && st.rto == 0 && st.window == 0 && st.rate == 0
          && st.packets_sent == 0 && st.packets_received == 0 && st.lost == 0
          && st.credit_packets == 0 && st.bytes_unread == 0,
          "there is no FRCP inside a host");
}

/* A child shares the end. */
static int write_one(void * argument)
{
    return write_message(*(const int *) argument, 40, 4) == 40 ? 0 : 1;
}

static void check_end(struct flow_pair * pair)
{
    struct flow_statistics st;
    int                    fd = pair->fd;

    CHECK_RESULT(in_child(write_one, &fd), 0, "a child writes");
    st = statistics_of(fd);
    CHECK(st.messages_written == 3 && st.bytes_written == 1540,
          "which counts for both");
    MUST(agent_on(&pair->agent, AGENT_DEALLOC, pair->peer) == 0, "the end");
    while (write_message(fd, 1, 0) == 1)
        ;
    st = statistics_of(fd);
    CHECK(st.ending == FLOWSTAT_CLOSED, "the other end has let go");
    CHECK_RESULT(flow_dealloc(fd), 0, "this one does, too");
    CHECK_RESULT(flow_statistics(fd, &st, sizeof(st)), -ENOTALLOC,
                 "and is no flow any more");
}

static void check_killed(void)
{
    struct flow_pair       pair = flow_pair_start("killed", NULL);
    struct flow_statistics st;
    char                   byte;

    agent_kill(&pair.agent);
    MUST(flow_read(pair.fd, &byte, 1) == -EFLOWDOWN, "the peer has died");
    st = statistics_of(pair.fd);
    CHECK(st.ending == FLOWSTAT_CLOSED, "a dead peer has let go");
    flow_dealloc(pair.fd);
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair pair;

    conformance_begin(argc, argv);

    pair = flow_pair_start("statistics", NULL);
    check_arguments(pair.fd);
    check_sizes(pair.fd);
    check_counts(&pair);
    check_end(&pair);
    agent_end(&pair.agent);
    check_killed();

    return conformance_end();
}
