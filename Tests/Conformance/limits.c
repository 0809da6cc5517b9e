/*
 * Ouroboros: how many flows a process can have (c-api §5)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

/*
 * The prototype's last descriptor is 4,095, ours 65,535 (flow-memory §6), or
 * less where vm.max_map_count is lower. The short run opens as many flows as
 * the prototype can; CONFORMANCE_LONG=1 goes on until there are no more.
 */

#define PROTOTYPE_LAST_FD 4095

/* The server gives up after a while, so that it can be told other things. */
static int allocate(const struct agent * agent,
                    const char *         name)
{
    struct agent_command accept = agent_command(AGENT_ACCEPT, -1);
    long long            peer;
    int                  fd;

    accept.milliseconds = 5000;
    agent_begin(agent, accept);
    fd = flow_alloc(name, NULL, NULL);
    peer = agent_finish(agent).result;
    if (fd >= 0 && peer != fd)
        note("descriptor %d here, %lld there", fd, peer);

    return fd;
}

static int allocate_up_to(const struct agent * agent,
                          const char *         name,
                          int                  last)
{
    int fd;

    for (fd = FIRST_FD; fd <= last; fd++)
        if (allocate(agent, name) != fd)
            break;

    return fd;
}

static void check_ends(const struct agent * agent,
                       int                  last)
{
    const int some[] = { FIRST_FD, (FIRST_FD + last) / 2, last };
    size_t    i;

    for (i = 0; i < 3; i++) {
        CHECK_RESULT(write_message(some[i], 100, (unsigned) i), 100,
                     "flow %d: a message goes", some[i]);
        CHECK_RESULT(agent_read(agent, some[i], 200, (unsigned) i), 100,
                     "flow %d: and arrives", some[i]);
    }
}

/* A flow is a mapping, and the process needs some for itself. */
static bool has_mappings_for_all(void)
{
    FILE * file = fopen("/proc/sys/vm/max_map_count", "r");
    long   most = 0;

    MUST(file != NULL && fscanf(file, "%ld", &most) == 1, "max_map_count");
    fclose(file);

    return most > LAST_FD + 2000;
}

/*
 * When all are in use: -EBADF, and one given back can be had again. Where the
 * kernel's mappings end before, -ENOMEM if they are ours; the server that has
 * none left refuses, and the allocation waits for one that has.
 */
static void check_exhausted(struct agent * agent,
                            const char *   name)
{
    int next;
    int result = 0;

    alarm(20 * WATCHDOG);
    for (next = PROTOTYPE_LAST_FD + 1; result >= 0; next++)
        result = allocate(agent, name);
    note("%d flows", next - 1 - FIRST_FD);
    if (has_mappings_for_all())
        CHECK_RESULT(result, -EBADF, "no descriptor is left");
    else
        CHECK(result == -EBADF || result == -ENOMEM || result == -ETIMEDOUT,
              "no descriptor or mapping is left: %d", result);

    CHECK_RESULT(flow_dealloc(FIRST_FD), 0, "one flow is deallocated");
    CHECK_RESULT(agent_on(agent, AGENT_DEALLOC, FIRST_FD), 0,
                 "at both ends");
    CHECK_RESULT(allocate(agent, name), FIRST_FD,
                 "its descriptor can be had again");
    check_ends(agent, PROTOTYPE_LAST_FD);
}

int main(int     argc,
         char ** argv)
{
    const char * name;
    struct agent agent;
    int          fd;

    conformance_begin(argc, argv);

    name = own_name("flows");
    agent = agent_start();
    REQUIRE(agent_bind(&agent, name) == 0, "an agent is bound");
    REQUIRE(allocate_up_to(&agent, name, PROTOTYPE_LAST_FD)
            == PROTOTYPE_LAST_FD + 1, "descriptors 64 to 4,095, in order");
    check_ends(&agent, PROTOTYPE_LAST_FD);

    if (getenv("CONFORMANCE_LONG") != NULL)
        check_exhausted(&agent, name);

    for (fd = FIRST_FD; fd <= PROTOTYPE_LAST_FD; fd++)
        if (flow_dealloc(fd) != 0)
            break;
    CHECK_RESULT(fd, PROTOTYPE_LAST_FD + 1, "all are deallocated");
    agent_end(&agent);

    return conformance_end();
}
