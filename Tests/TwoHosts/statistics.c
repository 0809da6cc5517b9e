/*
 * Ouroboros: what a reliable flow between two hosts counts, also when the other
 * host does not answer for a while
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"

#include <ouroboros/fstatistics.h>

#include <signal.h>

static struct flow_statistics now_of(int fd)
{
    struct flow_statistics st;

    MUST(flow_statistics(fd, &st, sizeof(st)) == 0, "statistics");

    return st;
}

static bool has_repeated(void * argument)
{
    struct flow_statistics st = now_of(*(const int *) argument);

    return st.lost > 0 && st.repeated > 0 && st.timeouts > 0;
}

static bool is_acknowledged(void * argument)
{
    return now_of(*(const int *) argument).packets_unacknowledged == 0;
}

static void exchange(const struct flow_pair * pair,
                     unsigned                 count,
                     size_t                   size)
{
    unsigned i;
    bool     right = true;

    for (i = 0; i < count; i++) {
        right &= write_message(pair->fd, size, i) == (long long) size;
        right &= agent_read(&pair->agent, (int) pair->peer, size + 1, i)
              == (long long) size;
        right &= agent_write(&pair->agent, (int) pair->peer, size, i)
              == (long long) size;
        right &= read_message(pair->fd, size + 1, i) == (long long) size;
    }
    CHECK(right, "%u messages of %zu bytes go there and back", count, size);
}

static void check_path(int fd)
{
    struct flow_statistics st = now_of(fd);

    CHECK(st.kind == FLOWSTAT_FRCP1 && st.ending == FLOWSTAT_OPEN,
          "the flow has profile 1, and is open");
    CHECK(st.messages_written == 20 && st.bytes_written == 20 * 3000
          && st.messages_read == 20 && st.bytes_read == 20 * 3000,
          "its messages are counted");
    CHECK(st.packets_sent >= 60 && st.packets_received >= 60,
          "so are the packets into which they were cut");
    CHECK(st.messages_unread == 0 && st.bytes_unread == 0, "all is read");
    CHECK(st.rtt > 0 && st.rtt_least > 0 && st.rtt_deviation > 0,
          "the round trip is measured");
    CHECK(st.rto >= 50000000 && st.rto >= st.rtt, "the RTO is longer");
    CHECK(st.window > 0 && st.rate > 0, "a window and a rate are known");
    CHECK(st.payload >= 1000 && st.payload <= LONGEST,
          "a packet has its bytes");
    CHECK(st.credit_packets > 0 && st.credit_bytes > 0,
          "the other end allows more");
    CHECK(st.damaged == 0 && st.refused == 0 && st.missing == 0,
          "nothing was wrong");
}

/* The other host's IPCP is stopped: what is sent is not acknowledged. */
static void check_silence(const struct flow_pair * pair)
{
    pid_t                  ipcp = ipcp_of(TWO);
    struct flow_statistics st;
    unsigned               i;
    bool                   right = true;
    int                    fd = pair->fd;

    MUST(ipcp > 0 && kill(ipcp, SIGSTOP) == 0, "host two's IPCP is stopped");
    for (i = 0; i < 10; i++)
        right &= write_message(fd, 100, i) == 100;
    CHECK(right, "ten messages are written");
    st = now_of(fd);
    CHECK(st.packets_unacknowledged >= 10 && st.bytes_unacknowledged >= 1000,
          "they wait for an acknowledgement");
    CHECK(st.in_flight > 0, "and are in flight");
    wait_for(has_repeated, &fd);
    CHECK(true, "after the RTO they count as lost, and are repeated");
    MUST(kill(ipcp, SIGCONT) == 0, "it goes on");
    for (i = 0; i < 10; i++)
        right &= agent_read(&pair->agent, (int) pair->peer, 200, i) == 100;
    CHECK(right, "all of them arrive once");
    wait_for(is_acknowledged, &fd);
    st = now_of(fd);
    CHECK(st.bytes_unacknowledged == 0 && st.in_flight == 0,
          "and are acknowledged");
    printf("# rtt %.3f ms, rto %.3f ms, lost %llu, repeated %llu,"
           " for nothing %llu, timeouts %llu\n", (double) st.rtt / 1e6,
           (double) st.rto / 1e6, (unsigned long long) st.lost,
           (unsigned long long) st.repeated,
           (unsigned long long) st.spurious, (unsigned long long) st.timeouts);
}

int main(int     argc,
         char ** argv)
{
    struct flow_pair       pair;
    struct flow_statistics st;
    qosspec_t              raw = raw_with_timeout(120000);
    char                   byte;

    hosts_begin(argc, argv);

    pair = pair_to_two("two.quality", &qos_data);
    exchange(&pair, 20, 3000);
    check_path(pair.fd);
    check_silence(&pair);
    CHECK_RESULT(agent_on(&pair.agent, AGENT_DEALLOC, (int) pair.peer), 0,
                 "the other end lets go");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN, "which is told");
    st = now_of(pair.fd);
    CHECK(st.ending == FLOWSTAT_CLOSED, "and is the reason of the end");
    flow_dealloc(pair.fd);
    agent_end(&pair.agent);

    pair = pair_to_two("two.messages", &raw);
    exchange(&pair, 5, 1000);
    st = now_of(pair.fd);
    CHECK(st.kind == FLOWSTAT_RAW && st.messages_written >= 5
          && st.bytes_written == 5000 && st.messages_read >= 5
          && st.bytes_read == 5000, "a raw flow counts messages and bytes");
    CHECK(st.rtt == 0 && st.packets_sent == 0 && st.window == 0,
          "and knows nothing of the path");
    flow_pair_end(&pair);

    return conformance_end();
}
