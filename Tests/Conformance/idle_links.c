/*
 * Ouroboros: a server of many processes that live and have no flow (c-api §5)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <dirent.h>

/*
 * Each pair of processes that had a flow keeps what it shares for the next
 * one: a descriptor in each of the two. A server keeps no more than the last
 * 256 of them, so that clients that stay do not use up its descriptors.
 */

enum { CLIENTS = 300, KEPT = 256 };

static const char * name;

static int descriptors(void)
{
    DIR * directory = opendir("/proc/self/fd");
    int   count = 0;

    if (directory == NULL)
        return -1;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);

    return count;
}

static int before;

static bool are_few(void * unused)
{
    (void) unused;

    /* Connections to irmd come and go, too. */
    return descriptors() <= before + KEPT + 16;
}

static bool use_a_flow(void)
{
    char byte = 'x';
    int  fd = flow_alloc(name, NULL, NULL);

    return fd >= 0 && flow_write(fd, &byte, 1) == 1
        && flow_read(fd, &byte, 1) == 1 && flow_dealloc(fd) == 0;
}

/* Stays until the pipe ends; a byte asks for another flow. */
static int stay(int orders,
                int answers)
{
    char byte = use_a_flow() ? 'y' : 'n';

    do {
        if (write(answers, &byte, 1) != 1)
            return 1;
        if (read(orders, &byte, 1) != 1)
            return 0;
        byte = use_a_flow() ? 'y' : 'n';
    } while (true);
}

static bool serve_one(int answers)
{
    char byte;
    int  fd = flow_accept(NULL, NULL);
    bool works = fd >= 0 && flow_read(fd, &byte, 1) == 1
        && flow_write(fd, &byte, 1) == 1;

    works = read(answers, &byte, 1) == 1 && byte == 'y' && works;

    return flow_dealloc(fd) == 0 && works;
}

int main(int     argc,
         char ** argv)
{
    static int orders[CLIENTS][2];
    int        answers[2];
    int        right = 0;
    int        i;

    conformance_begin(argc, argv);
    name = own_name("idle");
    MUST(irm_bind_process(getpid(), name) == 0, "a name");
    MUST(pipe(answers) == 0, "a pipe");
    fflush(stdout);
    for (i = 0; i < CLIENTS; i++) {
        MUST(pipe(orders[i]) == 0, "a pipe");
        if (fork() == 0) {
            alarm(WATCHDOG);
            for (int n = 0; n <= i; n++)
                close(orders[n][1]);
            _exit(stay(orders[i][0], answers[1]));
        }
        close(orders[i][0]);
        right += serve_one(answers[0]);
        /* A pipe for each client is open at the end. */
        if (i == 0)
            before = descriptors() + CLIENTS;
    }
    CHECK_RESULT(right, CLIENTS, "flows with clients that stay");
    wait_for(are_few, NULL);
    CHECK(are_few(NULL), "the server has kept %d of the links",
          descriptors() - before);
    /* One whose link was closed, and one whose link was kept. */
    right = 0;
    MUST(write(orders[0][1], "a", 1) == 1, "an order");
    right += serve_one(answers[0]);
    MUST(write(orders[CLIENTS - 1][1], "a", 1) == 1, "an order");
    right += serve_one(answers[0]);
    CHECK_RESULT(right, 2, "flows with the first client and the last");
    for (i = 0; i < CLIENTS; i++)
        close(orders[i][1]);

    return conformance_end();
}
