/*
 * Ouroboros: many threads on one flow (c-api §10)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <pthread.h>

#define MESSAGES 2000
#define THREADS 4

static struct flow_pair pair;
static const char *     name;

/* Each message carries its number, so that each can be seen to come once. */
struct reader {
    pthread_t thread;
    uint8_t   seen[MESSAGES];
    int       wrong;
};

static void * read_numbers(void * argument)
{
    struct reader * reader = argument;
    uint32_t        number[16];
    ssize_t         result;

    /* The writer's deallocation ends the flow when all are read. */
    while ((result = flow_read(pair.fd, number, sizeof(number) + 1)) >= 0) {
        if (result != sizeof(number) || number[0] >= MESSAGES
            || number[15] != ~number[0])
            reader->wrong++;
        else
            reader->seen[number[0]]++;
    }
    if (result != -EFLOWDOWN)
        reader->wrong++;

    return NULL;
}

/* The other end: writes all numbers from as many threads. */
static int next_number;

static void * write_numbers(void * fd)
{
    uint32_t number[16] = { 0 };
    int      mine;

    while ((mine = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED))
           < MESSAGES) {
        number[0] = (uint32_t) mine;
        number[15] = ~number[0];
        if (flow_write(*(int *) fd, number, sizeof(number)) < 0)
            return fd;
    }

    return NULL;
}

static int write_all(int ready)
{
    pthread_t threads[THREADS];
    void *    result;
    int       wrong = 0;
    int       fd;
    int       i;

    if (irm_bind_process(getpid(), name) != 0 || write(ready, "r", 1) != 1)
        return 1;
    fd = flow_accept(NULL, NULL);
    if (fd < 0)
        return 2;
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_numbers, &fd);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        wrong += result != NULL;
    }
    if (wrong > 0)
        return 3;

    return flow_dealloc(fd) == 0 ? 0 : 4;
}

static void check_readers(const char *      what,
                          const qosspec_t * qos)
{
    static struct reader readers[THREADS];
    qosspec_t            wish = *qos;
    int                  ready[2];
    char                 byte;
    pid_t                pid;
    int                  once = 0;
    int                  wrong = 0;
    int                  count;
    int                  i;
    int                  n;

    memset(readers, 0, sizeof(readers));
    name = own_name(what);
    MUST(pipe(ready) == 0, "a pipe");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(WATCHDOG);
        _exit(write_all(ready[1]));
    }
    close(ready[1]);
    MUST(read(ready[0], &byte, 1) == 1, "the other end is ready");
    close(ready[0]);
    pair.fd = flow_alloc(name, &wish, NULL);
    REQUIRE(pair.fd >= 0, "%s: a flow", what);

    for (i = 0; i < THREADS; i++)
        pthread_create(&readers[i].thread, NULL, read_numbers, &readers[i]);
    for (i = 0; i < THREADS; i++) {
        pthread_join(readers[i].thread, NULL);
        wrong += readers[i].wrong;
    }
    for (n = 0; n < MESSAGES; n++) {
        count = 0;
        for (i = 0; i < THREADS; i++)
            count += readers[i].seen[n];
        once += count == 1;
    }

    CHECK_RESULT(once, MESSAGES, "%s: 2,000 messages of 4 writing threads "
                 "arrive once each at 4 reading ones", what);
    CHECK_RESULT(wrong, 0, "%s: none is torn", what);
    CHECK_RESULT(child_result(pid), 0, "%s: the other end is content", what);
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "%s: the flow is deallocated", what);
}

/* One thread reads, another writes: the two directions do not disturb. */
static void * write_many(void * fd)
{
    char message[100] = { 0 };
    int  count = 0;

    while (count < MESSAGES
           && flow_write(*(int *) fd, message, sizeof(message)) == 100)
        count++;

    return count == MESSAGES ? NULL : fd;
}

static void check_both_directions(void)
{
    struct agent_command echo;
    pthread_t            thread;
    void *               result;
    int                  count = 0;

    pair = flow_pair_start("both", NULL);
    echo = agent_messages(AGENT_ECHO, pair.peer, MESSAGES, 0, 0);
    agent_begin(&pair.agent, echo);
    pthread_create(&thread, NULL, write_many, &pair.fd);
    while (count < MESSAGES
           && flow_read(pair.fd, &(char[200]) { 0 }, 200) == 100)
        count++;
    pthread_join(thread, &result);
    CHECK_RESULT(count, MESSAGES, "a thread reads what another wrote, echoed");
    CHECK(result == NULL, "which could write all of it");
    CHECK_RESULT(agent_finish(&pair.agent).result, MESSAGES,
                 "the other end echoed all of it");
    flow_pair_end(&pair);
}

/* Allocations, flows and deallocations of several threads at once. */
static void * use_flows(void * unused)
{
    char message[10];
    int  round;
    int  fd;

    (void) unused;
    fill(message, sizeof(message), 5);
    for (round = 0; round < 25; round++) {
        fd = flow_alloc(name, NULL, NULL);
        if (fd < 0 || flow_write(fd, message, 10) != 10
            || flow_dealloc(fd) != 0)
            return (void *) 1;
    }

    return NULL;
}

static void check_allocations(void)
{
    struct agent         agent = agent_start();
    struct agent_command accept = agent_command(AGENT_ACCEPT, -1);
    pthread_t            threads[THREADS];
    void *               result;
    int                  wrong = 0;
    int                  right = 0;
    int                  i;
    int                  fd;

    name = own_name("allocations");
    MUST(agent_bind(&agent, name) == 0, "an agent is bound");
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, use_flows, NULL);
    /* A thread that fails makes no more requests. */
    accept.milliseconds = 20000;
    for (i = 0; i < THREADS * 25; i++) {
        fd = (int) agent_call(&agent, accept).result;
        if (fd < FIRST_FD)
            break;
        right += agent_many(&agent, AGENT_RECEIVE, fd, 1, 10, 5) == 1;
        agent_on(&agent, AGENT_DEALLOC, fd);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        wrong += result != NULL;
    }
    CHECK_RESULT(wrong, 0, "4 threads allocate and deallocate 25 flows each");
    CHECK_RESULT(right, THREADS * 25, "all of which are accepted and lead to the other end");
    agent_end(&agent);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    check_readers("raw", &qos_raw);
    check_readers("data", &qos_data);
    check_both_directions();
    check_allocations();

    return conformance_end();
}
