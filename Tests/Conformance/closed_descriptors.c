/*
 * Ouroboros: a program that owns its descriptors (c-api §5)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * A program closes everything, as daemons do at their start, and opens files
 * that get the numbers which the library had. What is the program's now is
 * never touched by the library, which goes on working: with new connections,
 * and without the flows, whose other ends have seen the end.
 */

enum { NUMBERS = 1024, PAIRS = 480 };

static struct agent agent;
static int          own[PAIRS][2];

static bool is_agents(int number)
{
    return number == agent.commands || number == agent.answers;
}

static void close_all(void)
{
    int number;

    for (number = 3; number < NUMBERS; number++)
        if (!is_agents(number))
            close(number);
}

/* Sockets of ours at every number that is free. */
static int occupy(void)
{
    int count = 0;

    while (count < PAIRS
           && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, own[count]) == 0)
        count++;

    return count;
}

/* How many of them have received something, or the end, or are gone. */
static int touched(int pairs)
{
    int  count = 0;
    int  index;
    char bytes[64];

    for (index = 0; index < pairs * 2; index++) {
        int number = own[index / 2][index % 2];

        if (recv(number, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0
            || (errno != EAGAIN && errno != EWOULDBLOCK))
            count++;
    }

    return count;
}

static void leave(int pairs)
{
    while (pairs-- > 0) {
        close(own[pairs][0]);
        close(own[pairs][1]);
    }
}

static int allocate(const char * name,
                    int *        peer)
{
    int fd;

    agent_begin(&agent, agent_command(AGENT_ACCEPT, -1));
    fd = flow_alloc(name, NULL, NULL);
    *peer = (int) agent_finish(&agent).result;
    return fd;
}

static void check_works(int          fd,
                        int          peer,
                        const char * when)
{
    CHECK_RESULT(write_message(fd, 10, 1), 10, "%s a message goes", when);
    CHECK_RESULT(agent_read(&agent, peer, 100, 1), 10, "and arrives");
    CHECK_RESULT(agent_write(&agent, peer, 10, 2), 10, "one comes");
    CHECK_RESULT(read_message(fd, 100, 2), 10, "and is read");
}

/* The first call after the program has closed the library's connection. */
static void check_before_the_first_flow(const char * name)
{
    struct stat before;
    struct stat after;
    int         mine;
    int         peer;
    int         fd;

    close_all();
    mine = open("/dev/null", O_RDWR);
    MUST(fstat(mine, &before) == 0, "a file of ours");
    fd = allocate(name, &peer);
    CHECK(fd >= FIRST_FD, "the first allocation after closing all (%d)", fd);
    CHECK(fstat(mine, &after) == 0 && after.st_ino == before.st_ino
          && after.st_dev == before.st_dev, "the file is still ours");
    check_works(fd, peer, "on that flow");
    flow_dealloc(fd);
    agent_on(&agent, AGENT_DEALLOC, peer);
    close(mine);
}

static void check_numbers_that_are_ours(const char * name)
{
    int peer;
    int fd = allocate(name, &peer);
    int pairs;
    int more;

    MUST(fd >= FIRST_FD, "a flow");
    close_all();
    pairs = occupy();
    MUST(pairs > 100, "many sockets of ours");
    leave(20);   /* Room for what the library opens. */
    memmove(own, own + 20, sizeof(own) - 20 * sizeof(own[0]));
    pairs -= 20;

    CHECK_RESULT(agent_read(&agent, peer, 10, 0), -EFLOWDOWN,
                 "the peer has seen the end");
    flow_write(fd, "x", 1);
    CHECK(flow_dealloc(fd) <= 0, "the flow is given back");
    CHECK_RESULT(flow_dealloc(fd), -ENOTALLOC, "and gone");
    agent_on(&agent, AGENT_DEALLOC, peer);
    more = allocate(name, &peer);
    CHECK(more >= FIRST_FD, "another flow (%d)", more);
    check_works(more, peer, "on it");
    flow_dealloc(more);
    agent_on(&agent, AGENT_DEALLOC, peer);
    CHECK_RESULT(touched(pairs), 0, "none of %d sockets was touched",
                 pairs * 2);
    leave(pairs);
}

/* Every descriptor of the library's replaced by one of ours, in its place. */
static void check_replaced(const char * name)
{
    int  peer;
    int  fd = allocate(name, &peer);
    int  mine[2];
    int  count = 0;
    int  number;
    char bytes[64];

    MUST(fd >= FIRST_FD && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, mine) == 0,
         "a flow and a socket");
    for (number = 3; number < NUMBERS; number++)
        if (!is_agents(number) && number != mine[0] && number != mine[1]
            && fcntl(number, F_GETFD) >= 0)
            count += dup2(mine[0], number) == number;
    CHECK(count > 2, "%d descriptors are replaced", count);

    flow_write(fd, "x", 1);
    flow_dealloc(fd);
    agent_on(&agent, AGENT_DEALLOC, peer);
    fd = allocate(name, &peer);
    CHECK(fd >= FIRST_FD, "an allocation after that (%d)", fd);
    check_works(fd, peer, "on it");
    CHECK(recv(mine[1], bytes, sizeof(bytes), MSG_DONTWAIT) < 0,
          "our socket has received nothing");
    for (number = 3; number < NUMBERS; number++)
        if (number != mine[1] && fcntl(number, F_GETFD) >= 0) {
            struct stat one;
            struct stat two;

            if (fstat(number, &one) == 0 && fstat(mine[0], &two) == 0
                && one.st_ino == two.st_ino && number != mine[0]) {
                count--;
                close(number);
            }
        }
    CHECK_RESULT(count, 0, "all that we put in their place are there");
    flow_dealloc(fd);
    agent_on(&agent, AGENT_DEALLOC, peer);
    close(mine[0]);
    close(mine[1]);
}

/* A set that has slept, and one that is polled by a loop of ours. */
static void check_sets(const char * name)
{
    struct timespec little = { 0, 1000000 };
    fset_t *        set = fset_create();
    fqueue_t *      queue = fqueue_create();
    int             peer;
    int             fd = allocate(name, &peer);

    MUST(fset_add(set, fd) == 0, "a flow in a set");
    CHECK_RESULT(fevent(set, queue, &little), -ETIMEDOUT, "the set waits");
    CHECK(fset_pollfd(set) >= 0, "and is polled");
    close_all();
    fset_del(set, fd);
    flow_dealloc(fd);
    agent_on(&agent, AGENT_DEALLOC, peer);

    fd = allocate(name, &peer);
    MUST(fd >= FIRST_FD && fset_add(set, fd) == 0, "a new flow in the set");
    CHECK_RESULT(fevent(set, queue, &little), -ETIMEDOUT, "it waits again");
    CHECK_RESULT(agent_write(&agent, peer, 10, 3), 10, "a message");
    CHECK_RESULT(fevent(set, queue, NULL), 1, "makes an event");
    CHECK_RESULT(fqueue_next(queue), fd, "of the flow");
    CHECK_RESULT(read_message(fd, 100, 3), 10, "and is read");
    CHECK(fset_pollfd(set) >= 0, "it can be polled again");
    flow_dealloc(fd);
    agent_on(&agent, AGENT_DEALLOC, peer);
    fqueue_destroy(queue);
    fset_destroy(set);
}

static double processor_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* What its thread sleeps in is closed: it neither spins nor is lost. */
static void check_thread(const char * name)
{
    qosspec_t wish = qos_raw;
    double    before;
    int       peer;
    int       fd;

    wish.timeout = 400;
    agent_begin(&agent, agent_command(AGENT_ACCEPT, -1));
    fd = flow_alloc(name, &wish, NULL);
    peer = (int) agent_finish(&agent).result;
    MUST(fd >= FIRST_FD, "a flow whose peer is watched");
    close_all();
    before = processor_seconds();
    sleep(1);
    CHECK(processor_seconds() - before < 0.3,
          "a second of sleep takes no processor");
    flow_dealloc(fd);
    agent_on(&agent, AGENT_DEALLOC, peer);
}

static int without_standard_streams(void * name)
{
    int  fd;
    int  number;
    long result;

    for (number = 0; number < NUMBERS; number++)
        if (!is_agents(number))
            close(number);
    fd = flow_alloc(name, NULL, NULL);
    for (number = 0; number < 3; number++)
        if (fcntl(number, F_GETFD) >= 0)
            return 10 + number;
    if (fd < FIRST_FD)
        return 1;
    /* As a program does that does not know that its output is closed. */
    if (open("/dev/null", O_RDWR) != 0 || dup(0) != 1)
        return 2;
    result = write(1, "text", 4);
    return result == 4 && flow_write(fd, "x", 1) == 1 ? 0 : 3;
}

static void check_standard_streams(const char * name)
{
    agent_begin(&agent, agent_command(AGENT_ACCEPT, -1));
    CHECK_RESULT(in_child(without_standard_streams, (void *) name), 0,
                 "0, 1 and 2 stay the program's when they are closed");
    CHECK(agent_finish(&agent).result >= FIRST_FD, "and its flow came");
}

int main(int     argc,
         char ** argv)
{
    const char * name;

    conformance_begin(argc, argv);
    name = own_name("closed");
    agent = agent_start();
    MUST(agent_bind(&agent, name) == 0, "an agent is bound");

    check_before_the_first_flow(name);
    check_numbers_that_are_ours(name);
    check_replaced(name);
    check_sets(name);
    check_thread(name);
    check_before_the_first_flow(name);
    check_standard_streams(name);

    agent_end(&agent);
    return conformance_end();
}
