/*
 * Ouroboros: the first calls of many threads at once (c-api §5)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <pthread.h>

/*
 * All threads of a process wait for the one welcome of irmd, which one of
 * them takes from the connection. The others must not wait for another, or
 * their limit passes.
 */

enum { PROCESSES = 8, THREADS = 16, FLOWS = 4 };

static const int64_t limit = 3000;

static pthread_barrier_t begin;
static const char *      name;
static int               failed;

static void * call(void * unused)
{
    struct timespec buffer;
    int             fd;
    int             i;

    pthread_barrier_wait(&begin);
    for (i = 0; i < FLOWS; i++) {
        fd = flow_alloc(name, NULL, interval(&buffer, limit));
        if (fd < 0)
            __atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED);
        else
            flow_dealloc(fd);
    }

    return unused;
}

/* In a child, which is no longer the process that irmd knows. */
static int call_at_once(void)
{
    pthread_t threads[THREADS];
    int       i;

    pthread_barrier_init(&begin, NULL, THREADS);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, call, NULL);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    return failed;
}

static void * serve(void * unused)
{
    int i;
    int fd;

    for (i = 0; i < PROCESSES * THREADS * FLOWS; i++) {
        fd = flow_accept(NULL, NULL);
        if (fd >= 0)
            flow_dealloc(fd);
    }

    return unused;
}

int main(int     argc,
         char ** argv)
{
    pthread_t server;
    pid_t     pids[PROCESSES];
    int       status;
    int       refused = 0;
    int       i;

    conformance_begin(argc, argv);
    name = own_name("crowd");
    MUST(irm_bind_process(getpid(), name) == 0, "a name");
    fflush(stdout);
    for (i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            alarm(WATCHDOG);
            _exit(call_at_once());
        }
    }
    pthread_create(&server, NULL, serve, NULL);
    for (i = 0; i < PROCESSES; i++) {
        waitpid(pids[i], &status, 0);
        refused += WIFEXITED(status) ? WEXITSTATUS(status) : THREADS * FLOWS;
    }

    CHECK_RESULT(refused, 0, "flows that %d threads of %d processes do not get"
                 " within their limit", THREADS, PROCESSES);
    return conformance_end();
}
