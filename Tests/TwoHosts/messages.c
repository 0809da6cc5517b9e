/*
 * Ouroboros: messages of all sizes over a flow between two hosts, written and
 * read in every manner
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"

#include <sys/uio.h>

static const size_t sizes[] = { 1, 64, 1400, 1500, LONGEST - 1, LONGEST };

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* Of each size: few enough that no buffer of the kernel is too small. */
#define EACH 5

static uint8_t buffer[LONGEST + 1];

static void check_sizes(const struct flow_pair * pair,
                        const char *             way)
{
    size_t   i;
    unsigned seed = 0;
    int      each;

    for (i = 0; i < SIZES; i++) {
        bool right = true;

        agent_begin(&pair->agent, agent_messages(AGENT_ECHO, pair->peer, EACH,
                                                 0, 0));
        for (each = 0; each < EACH; each++) {
            /* No reader sees it. */
            MUST(flow_write(pair->fd, NULL, 0) == 0, "0 bytes are written");
            right = right
                && write_message(pair->fd, sizes[i], seed + (unsigned) each)
                   == (ssize_t) sizes[i];
        }
        for (each = 0; each < EACH; each++, seed++)
            right = right && read_message(pair->fd, LARGEST, seed)
                             == (ssize_t) sizes[i];
        CHECK(right, "%s: messages of %zu bytes come back whole, in order",
              way, sizes[i]);
        CHECK_RESULT(agent_finish(&pair->agent).result, EACH,
                     "%s: and nothing else was read", way);
    }
}

static void check_longest(const struct flow_pair * pair,
                          const char *             way)
{
    void * place;

    CHECK_RESULT(flow_write(pair->fd, buffer, LONGEST + 1), -EMSGSIZE,
                 "%s: %d bytes are too many", way, LONGEST + 1);
    CHECK_RESULT(agent_write(&pair->agent, pair->peer, LONGEST + 1, 1),
                 -EMSGSIZE, "%s: also at the other end", way);
    CHECK_RESULT(flow_reserve(pair->fd, &place, LONGEST + 1), -EMSGSIZE,
                 "%s: also in place", way);
}

static void check_pieces(const struct flow_pair * pair,
                         const char *             way)
{
    struct iovec parts[3];
    uint8_t      into[3][LONGEST / 2];

    fill(buffer, LONGEST, 50);
    parts[0].iov_base = buffer;
    parts[0].iov_len = 10;
    parts[1].iov_base = buffer + 10;
    parts[1].iov_len = 0;
    parts[2].iov_base = buffer + 10;
    parts[2].iov_len = LONGEST - 10;
    CHECK_RESULT(flow_writev(pair->fd, parts, 3), LONGEST,
                 "%s: the parts of a message are written", way);
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, LARGEST, 50), LONGEST,
                 "%s: and read as one", way);

    CHECK_RESULT(agent_write(&pair->agent, pair->peer, 3000, 51), 3000,
                 "%s: a message is written", way);
    parts[0].iov_base = into[0];
    parts[0].iov_len = 1;
    parts[1].iov_base = into[1];
    parts[1].iov_len = 1000;
    parts[2].iov_base = into[2];
    parts[2].iov_len = sizeof(into[2]);
    CHECK_RESULT(flow_readv(pair->fd, parts, 3), 3000,
                 "%s: and read in parts", way);
    CHECK(holds(into[0], 1, 0, 51) && holds(into[1], 1000, 1, 51)
          && holds(into[2], 1999, 1001, 51), "%s: that are right", way);

    CHECK_RESULT(agent_write(&pair->agent, pair->peer, 100, 52), 100,
                 "%s: a message is written", way);
    CHECK_RESULT(flow_read(pair->fd, buffer, 60), 60,
                 "%s: and begun to be read", way);
    CHECK_RESULT(flow_read(pair->fd, buffer + 60, 60), 40,
                 "%s: its rest is read", way);
    CHECK(holds(buffer, 100, 0, 52), "%s: which is right", way);
}

static void check_in_place(const struct flow_pair * pair,
                           const char *             way)
{
    void *       place = NULL;
    const void * message = NULL;

    CHECK_RESULT(flow_reserve(pair->fd, &place, LONGEST), LONGEST,
                 "%s: a place for a message is found", way);
    fill(place, LONGEST, 60);
    CHECK_RESULT(flow_commit(pair->fd, LONGEST), LONGEST,
                 "%s: the message is sent", way);
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, LARGEST, 60), LONGEST,
                 "%s: and read", way);

    CHECK_RESULT(agent_write(&pair->agent, pair->peer, 1500, 61), 1500,
                 "%s: one is written", way);
    CHECK_RESULT(flow_peek(pair->fd, &message), 1500, "%s: seen", way);
    CHECK(message != NULL && holds(message, 1500, 0, 61),
          "%s: right where it is", way);
    CHECK_RESULT(flow_release(pair->fd), 0, "%s: released", way);
}

static void check_events(const struct flow_pair * pair,
                         const char *             way)
{
    fset_t *            set = fset_create();
    fqueue_t *          queue = fqueue_create();
    struct agent_answer event;

    MUST(fset_add(set, pair->fd) == 0, "the flow is in a set");
    MUST(agent_on(&pair->agent, AGENT_WATCH, pair->peer) == 0,
         "its other end too");

    agent_begin(&pair->agent, agent_command(AGENT_EVENT, -1));
    MUST(write_message(pair->fd, 100, 70) == 100, "a message goes");
    event = agent_finish(&pair->agent);
    CHECK_RESULT(event.result, pair->peer, "%s: a message makes an event", way);
    CHECK_RESULT(event.value, FLOW_PKT, "%s: FLOW_PKT", way);
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 200, 70), 100,
                 "%s: and is there to be read", way);

    MUST(agent_write(&pair->agent, pair->peer, 100, 71) == 100,
         "a message goes back");
    CHECK_RESULT(fevent(set, queue, NULL), 1, "%s: it makes one here", way);
    CHECK_RESULT(fqueue_next(queue), pair->fd, "%s: of the flow", way);
    CHECK_RESULT(fqueue_type(queue), FLOW_PKT, "%s: FLOW_PKT", way);
    CHECK_RESULT(read_message(pair->fd, 200, 71), 100, "%s: it is read", way);

    fqueue_destroy(queue);
    fset_destroy(set);
}

static void check_all(struct flow_pair pair,
                      const char *     way)
{
    check_sizes(&pair, way);
    check_longest(&pair, way);
    check_pieces(&pair, way);
    check_in_place(&pair, way);
    check_events(&pair, way);
    flow_pair_end(&pair);
}

/* What the client asks for is what the server is told. */
static void check_quality(void)
{
    qosspec_t            wish = { 7, 8, 9, 10, 1, 0, 11, 12000 };
    qosspec_t            own = wish;
    struct agent         agent = agent_at(TWO);
    struct agent_command accept = agent_command(AGENT_ACCEPT, -1);
    struct agent_answer  accepted;
    int                  fd;

    MUST(agent_bind(&agent, "two.quality") == 0, "an agent is bound");
    agent_begin(&agent, accept);
    fd = flow_alloc("two.quality", &own, NULL);
    REQUIRE(fd >= 0, "a flow of odd quality is allocated");
    accepted = agent_finish(&agent);
    CHECK(same_qos(&own, &wish), "the client gets what it asked for");
    CHECK(same_qos(&accepted.qos, &wish), "the server is told the same");
    flow_dealloc(fd);
    agent_end(&agent);
}

int main(int     argc,
         char ** argv)
{
    hosts_begin(argc, argv);

    check_all(pair_to_two("two.messages", NULL), "to two");
    check_all(pair_from_two(NULL), "from two");
    check_quality();

    return conformance_end();
}
