/*
 * Ouroboros: threads that are cancelled while they wait for a flow (c-api §10)
 *
 * Their requests end with them: no flow is left that nobody knows of.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "conformance.h"

#include <pthread.h>

#define ROUNDS 400
#define NAME "cancelled"

/* What a call returned, or that it did not. */
struct caller {
    pthread_t thread;
    int       result;
};

/* From when it has its flow, nobody is cancelled before he has said so. */
static void keep(struct caller * caller,
                 int             result)
{
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    caller->result = result;
}

static void * wait_alloc(void * argument)
{
    keep(argument, flow_alloc(NAME, NULL, NULL));
    return NULL;
}

static void * wait_accept(void * argument)
{
    keep(argument, flow_accept(NULL, NULL));
    return NULL;
}

static void start(struct caller * caller,
                  void * (* call)(void *))
{
    caller->result = -ECANCELED;
    MUST(pthread_create(&caller->thread, NULL, call, caller) == 0, "a thread");
}

static void finish(struct caller * caller,
                   bool            cancel)
{
    if (cancel)
        pthread_cancel(caller->thread);
    pthread_join(caller->thread, NULL);
    if (caller->result >= 0)
        flow_dealloc(caller->result);
}

static void spin(int microseconds)
{
    struct timespec begin;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000 < microseconds);
}

/* Both ends at once, one of which is cancelled at one moment or another. */
static void check_rounds(bool cancels_client)
{
    struct caller client;
    struct caller server;
    int           returned = 0;
    int           round;

    for (round = 0; round < ROUNDS; round++) {
        start(&server, wait_accept);
        start(&client, wait_alloc);
        spin(round % 200);
        if (cancels_client) {
            finish(&client, true);
            returned += client.result >= 0;
            finish(&server, true);
        } else {
            finish(&server, true);
            returned += server.result >= 0;
            finish(&client, true);
        }
    }
    note("%d of %d calls returned before they were cancelled", returned,
         ROUNDS);
}

/* The lowest free numbers are used, so one that is left would be missed. */
static void check_nothing_is_left(const char * whose)
{
    struct caller client;
    struct caller server;

    start(&server, wait_accept);
    start(&client, wait_alloc);
    pthread_join(client.thread, NULL);
    pthread_join(server.thread, NULL);
    CHECK(client.result + server.result == FIRST_FD + FIRST_FD + 1,
          "cancelled %s left no flow (%d, %d)", whose, client.result,
          server.result);
    CHECK_RESULT(flow_write(client.result, "x", 1), 1, "flows still work");
    CHECK_RESULT(flow_dealloc(client.result), 0, "one end");
    CHECK_RESULT(flow_dealloc(server.result), 0, "the other end");
}

static void * loop(void * ignored)
{
    struct timespec zero = { 0, 0 };

    while (flow_accept(NULL, &zero) == -ETIMEDOUT)
        ;
    return ignored;
}

/* A loop over a call that never waits can be cancelled, too. */
static void check_polls(void)
{
    pthread_t thread;
    void *    result = NULL;

    MUST(pthread_create(&thread, NULL, loop, NULL) == 0, "a thread");
    CHECK_RESULT(pthread_cancel(thread), 0, "a thread that polls");
    CHECK_RESULT(pthread_join(thread, &result), 0, "it ends");
    CHECK(result == PTHREAD_CANCELED, "because of that");
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    REQUIRE(irm_bind_process(getpid(), NAME) == 0, "a name of one's own");
    check_nothing_is_left("nobody");
    check_rounds(true);
    check_nothing_is_left("clients");
    check_rounds(false);
    check_nothing_is_left("servers");
    check_polls();
    CHECK_RESULT(irm_destroy_name(NAME), 0, "the name is given up");

    return conformance_end();
}
