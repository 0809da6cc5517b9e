/*
 * Ouroboros: flows in order and without loss between two hosts
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"

#include <errno.h>
#include <signal.h>

/* Of a message: cut into packets, and longer than any layer's packet. */
static const size_t sizes[] = { 1, 1400, 1500, 9000, 65536, 1 << 20 };

static char byte;

static void check_sizes(const char *      what,
                        const qosspec_t * qos)
{
    struct flow_pair pair = pair_to_two("two.quality", qos);
    size_t           i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct agent_command read = agent_command(AGENT_READ, (int) pair.peer);
        struct agent_answer  answer;
        long long            written;

        read.size = sizes[i];
        read.seed = (unsigned) i;
        agent_begin(&pair.agent, read);
        written = write_message(pair.fd, sizes[i], (unsigned) i);
        answer = agent_finish(&pair.agent);
        CHECK(written == (long long) sizes[i]
              && answer.result == (long long) sizes[i] && answer.right,
              "%s: a message of %zu bytes there", what, sizes[i]);
        /* The message filled the buffer, so its end is told. */
        CHECK_RESULT(agent_read(&pair.agent, (int) pair.peer, 1, 0), 0,
                     "%s: and its end", what);
    }
    CHECK_RESULT(flow_write(pair.fd, &byte, (16u << 20) + 1), -EMSGSIZE,
                 "%s: a longer one is refused", what);
    CHECK_RESULT(agent_write(&pair.agent, (int) pair.peer, 5000, 7), 5000,
                 "%s: a message back", what);
    CHECK_RESULT(read_message(pair.fd, 6000, 7), 5000, "%s: is read", what);
    flow_dealloc(pair.fd);
    CHECK_RESULT(agent_read(&pair.agent, (int) pair.peer, 1, 0), -EFLOWDOWN,
                 "%s: the end is told", what);
    agent_end(&pair.agent);
}

/* All that was written arrives, also if the writer ends at once. */
static void check_end_of_writer(void)
{
    struct flow_pair     pair = pair_from_two(&qos_data);
    struct agent_command send = agent_command(AGENT_SEND, (int) pair.peer);
    unsigned             i;
    bool                 right = true;

    send.value = 500;
    send.size = 3000;
    send.seed = 1;
    CHECK(agent_call(&pair.agent, send).result >= 0, "500 messages are sent");
    agent_call(&pair.agent, agent_command(AGENT_EXIT, 0));
    for (i = 0; i < 500; i++)
        right &= read_message(pair.fd, 4000, 1 + i) == 3000;
    CHECK(right, "and arrive, though their writer has ended");
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN, "then its end");
    CHECK_RESULT(flow_write(pair.fd, &byte, 1), -EFLOWDOWN, "both ways");
    flow_dealloc(pair.fd);
    agent_end(&pair.agent);
}

/* The layer tells of a process that cannot tell itself. */
static void check_killed(void)
{
    struct flow_pair pair = pair_from_two(&qos_data);

    CHECK_RESULT(agent_write(&pair.agent, (int) pair.peer, 100, 1), 100,
                 "a message");
    CHECK_RESULT(read_message(pair.fd, 200, 1), 100, "is read");
    agent_kill(&pair.agent);
    CHECK_RESULT(flow_read(pair.fd, &byte, 1), -EFLOWDOWN,
                 "a peer that is killed is no longer waited for");
    flow_dealloc(pair.fd);
}

/* Who does not read holds the writer back, and nothing is lost. */
static void check_slow_reader(void)
{
    struct flow_pair     pair = pair_to_two("two.quality", &qos_data);
    struct agent_command receive;
    long long            written = 0;
    uint32_t             flags = 0;
    static char          message[10000];

    MUST(fccntl(pair.fd, FLOWGFLAGS, &flags) == 0, "its flags");
    MUST(fccntl(pair.fd, FLOWSFLAGS, flags | FLOWFWNOBLOCK) == 0,
         "it does not wait");
    while (written < 100000
           && (fill(message, sizeof(message), (unsigned) written),
               flow_write(pair.fd, message, sizeof(message))
               == (ssize_t) sizeof(message)))
        written++;
    CHECK(written > 100 && written < 100000, "the writer is held back");
    receive = agent_command(AGENT_RECEIVE, (int) pair.peer);
    receive.value = (uint32_t) written;
    receive.size = sizeof(message);
    CHECK_RESULT(agent_call(&pair.agent, receive).result, written,
                 "all that it wrote is read");
    flow_dealloc(pair.fd);
    agent_end(&pair.agent);
}

static void count_events(fqueue_t * queue,
                         long long  counts[2])
{
    while (fqueue_next(queue) >= 0)
        if (fqueue_type(queue) == FLOW_ROOM)
            counts[0]++;
        else
            counts[1]++;
}

/* The reader stands still, and goes on: the writer waits for events alone. */
static void check_room(void)
{
    static const struct timespec zero = { 0, 0 };
    static char                  message[10000];
    struct flow_pair             pair = pair_to_two("two.quality", &qos_data);
    struct agent_command         receive;
    fset_t *                     set = fset_create();
    fqueue_t *                   queue = fqueue_create();
    long long                    counts[2] = { 0, 0 };
    long long                    refused = 0;
    uint32_t                     total = 2000;
    uint32_t                     written = 0;
    ssize_t                      result = 0;

    MUST(fset_want(set, FLOW_ROOM) == 0 && fset_add(set, pair.fd) == 0, "a set");
    MUST(fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFWNOBLOCK) == 0,
         "it does not wait");
    kill(pair.agent.pid, SIGSTOP);
    while (written < total) {
        fill(message, sizeof(message), written);
        result = flow_write(pair.fd, message, sizeof(message));
        if (result == (ssize_t) sizeof(message)) {
            written++;
        } else if (result == -EAGAIN) {
            /* What was on its way may make room yet; then nothing does. */
            if (refused++ == 0) {
                while (fevent(set, queue, &zero) == 1)
                    count_events(queue, counts);
                kill(pair.agent.pid, SIGCONT);
                receive = agent_messages(AGENT_RECEIVE, (int) pair.peer, total,
                                         sizeof(message), 0);
                agent_begin(&pair.agent, receive);
            }
            if (counts[0] < refused) {
                MUST(fevent(set, queue, NULL) == 1, "an event");
                count_events(queue, counts);
            }
        } else {
            break;
        }
    }
    CHECK_RESULT(written, total, "each refused message goes after its event");
    CHECK(refused > 0, "%lld were refused", refused);
    CHECK_RESULT(agent_finish(&pair.agent).result, total, "all are read");
    CHECK_RESULT(counts[0], refused, "one event for each refusal");
    CHECK_RESULT(counts[1], 0, "and no other event");
    fset_destroy(set);
    fqueue_destroy(queue);
    flow_dealloc(pair.fd);
    agent_end(&pair.agent);
}

int main(int     argc,
         char ** argv)
{
    hosts_begin(argc, argv);

    check_sizes("data", &qos_data);
    check_sizes("best effort", &qos_best_effort);
    check_end_of_writer();
    check_killed();
    check_slow_reader();
    check_room();

    return conformance_end();
}
