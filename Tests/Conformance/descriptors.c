/*
 * Ouroboros: descriptors of flows (c-api §5, Descriptors)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <limits.h>

static void check_numbers(void)
{
    const char *     name = own_name("more");
    struct flow_pair pair = flow_pair_start("numbers", NULL);
    int              fd;
    int              peer;

    CHECK_RESULT(pair.fd, FIRST_FD, "the first descriptor is 64");
    CHECK_RESULT(pair.peer, FIRST_FD, "so it is for whoever accepts");

    CHECK_RESULT(agent_bind(&pair.agent, name), 0,
                 "a process may be bound to a second name");
    flow_pair_more(&pair.agent, name, NULL, &fd, &peer);
    CHECK_RESULT(fd, FIRST_FD + 1, "the second descriptor is 65");

    CHECK_RESULT(flow_dealloc(pair.fd), 0, "a flow is deallocated");
    CHECK_RESULT(agent_on(&pair.agent, AGENT_DEALLOC, pair.peer), 0,
                 "its other end too");
    flow_pair_more(&pair.agent, name, NULL, &pair.fd, &pair.peer);
    CHECK_RESULT(pair.fd, FIRST_FD, "the lowest free descriptor is used");
    CHECK_RESULT(pair.peer, FIRST_FD, "also by whoever accepts");

    CHECK_RESULT(write_message(pair.fd, 10, 1), 10,
                 "a flow on a descriptor used before works");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 100, 1), 10,
                 "and leads to its own other end");

    CHECK_RESULT(flow_dealloc(fd), 0, "the second flow is deallocated");
    flow_pair_end(&pair);
}

/*
 * The limit is 65,535 (flow-memory §6); below and above, the codes are those
 * of the rows. 0...63 are reserved and never open.
 */
static void check_impossible(void)
{
    const int fds[] = { -1, INT_MIN, LAST_FD + 1, INT_MAX };
    char      byte = 0;
    uint32_t  flags;
    size_t    i;

    for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        CHECK_RESULT(flow_write(fds[i], &byte, 1), -EBADF,
                     "flow_write on %d", fds[i]);
        CHECK_RESULT(flow_read(fds[i], &byte, 1), -EBADF,
                     "flow_read on %d", fds[i]);
        CHECK_RESULT(fccntl(fds[i], FLOWGFLAGS, &flags), -EBADF,
                     "fccntl on %d", fds[i]);
        CHECK_RESULT(flow_dealloc(fds[i]), -EINVAL,
                     "flow_dealloc on %d", fds[i]);
    }
}

static void check_not_open(void)
{
    const int fds[] = { 0, 63, FIRST_FD, 200, 4095 };
    char      byte = 0;
    uint32_t  flags;
    size_t    i;

    for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        CHECK_RESULT(flow_write(fds[i], &byte, 1), -ENOTALLOC,
                     "flow_write on %d, which is not open", fds[i]);
        CHECK_RESULT(flow_read(fds[i], &byte, 1), -ENOTALLOC,
                     "flow_read on %d, which is not open", fds[i]);
        CHECK_RESULT(fccntl(fds[i], FLOWGFLAGS, &flags), -ENOTALLOC,
                     "fccntl on %d, which is not open", fds[i]);
        CHECK_RESULT(flow_dealloc(fds[i]), -ENOTALLOC,
                     "flow_dealloc on %d, which is not open", fds[i]);
    }
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_not_open();
    check_numbers();
    check_not_open();
    check_impossible();

    return conformance_end();
}
