/*
 * Ouroboros: many flows at a time, of several threads of several processes,
 * both ways; and many one after the other
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"

/* Clients on each host; with what is below, 200 flows at a time. */
#define CLIENTS 2

static const struct work parallel = { 5, 10, 40, 1, 1400 };
static const struct work large = { 1, 4, 100, 1, LONGEST };
static const struct work sequence = { 1, 1, 1, 1000, 100 };

static void check_parallel(void)
{
    struct worker clients[2 * CLIENTS];
    int           i;

    for (i = 0; i < CLIENTS; i++) {
        clients[2 * i] = client_at(ONE, "two.echo", &parallel);
        clients[2 * i + 1] = client_at(TWO, "one.echo", &parallel);
    }
    for (i = 0; i < 2 * CLIENTS; i++)
        CHECK_RESULT(worker_result(&clients[i]), 0,
                     "client %d of %d, on host %s: all messages of its 50 "
                     "flows came back", i, 2 * CLIENTS, i % 2 ? "two" : "one");
}

static void check_large(void)
{
    struct worker one = client_at(ONE, "two.echo", &large);
    struct worker two = client_at(TWO, "one.echo", &large);

    CHECK_RESULT(worker_result(&one), 0, "long messages of host one came back");
    CHECK_RESULT(worker_result(&two), 0, "and those of host two");
}

static void check_sequence(void)
{
    struct worker one = client_at(ONE, "two.echo", &sequence);
    struct worker two = client_at(TWO, "one.echo", &sequence);

    CHECK_RESULT(worker_result(&one), 0,
                 "%d flows of host one, one after the other", sequence.rounds);
    CHECK_RESULT(worker_result(&two), 0, "and as many of host two meanwhile");
}

static bool no_flows(void * argument)
{
    return network(*(const enum host *) argument, "flows") == 0;
}

int main(int     argc,
         char ** argv)
{
    struct worker one;
    struct worker two;
    enum host     host;

    hosts_begin(argc, argv);

    one = server_at(ONE, "one.echo");
    two = server_at(TWO, "two.echo");
    check_parallel();
    check_large();
    check_sequence();
    /* Servers end their flows when the clients are missed. */
    for (host = ONE; host <= TWO; host++) {
        wait_for(no_flows, &host);
        CHECK(true, "host %s has no flows left", host == ONE ? "one" : "two");
    }
    CHECK_RESULT(worker_end(&one), 0, "the server of host one ends");
    CHECK_RESULT(worker_end(&two), 0, "and that of host two");

    return conformance_end();
}
