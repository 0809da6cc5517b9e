/*
 * Ouroboros: either end of a flow in order between two hosts
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * stream serve                             does what each client asks for, and says how it went
 * stream ask NAME QUALITY WORK COUNT SIZE  a client of such a server
 *
 * QUALITY is data (no loss) or best (in order). WORK is
 *   echo    COUNT messages of SIZE bytes come back, one after the other
 *   late    the same, but the server waits 300 ms before each answer
 *   there   COUNT messages go there, then the server says how many were right
 *   back    COUNT messages come from there
 *   slow    as there, but the server waits a second before it reads
 *
 * Built against this implementation and against the prototype, hence with
 * nothing but what both have.
 */

#define _GNU_SOURCE

#include <ouroboros/dev.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/qos.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Longer than any message, so that no read is a part. */
#define ROOM 65536

/* What a client asks for: its first message. */
struct order {
    char     work[8];
    uint32_t count;
    uint32_t size;
};

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&time, NULL);
}

/* Reads wait in turns: the prototype does not wake a reader in between. */
static void wait_in_turns(int fd)
{
    struct timespec turn = { 0, 100000000 };

    fccntl(fd, FLOWSFLAGS, FLOWFRDWR | FLOWFRNOPART);
    fccntl(fd, FLOWSRCVTIMEO, &turn);
}

/* Nothing for 8 seconds is an end, too. */
static ssize_t read_patiently(int    fd,
                              char * room)
{
    long long begun = now_ms();
    ssize_t   count;

    do
        count = flow_read(fd, room, ROOM);
    while ((count == -ETIMEDOUT || count == -EAGAIN) && now_ms() - begun < 8000);
    return count;
}

static void fill(char *   room,
                 uint32_t size,
                 uint32_t number)
{
    uint32_t i;

    for (i = 0; i < size; i++)
        room[i] = (char) (number * 31 + i * 7);
    if (size >= sizeof(number))
        memcpy(room, &number, sizeof(number));
}

static bool write_number(int      fd,
                         char *   room,
                         uint32_t size,
                         uint32_t number)
{
    ssize_t result;

    fill(room, size, number);
    result = flow_write(fd, room, size);
    if (result != (ssize_t) size)
        printf("message %u: write says %zd\n", number, result);
    return result == (ssize_t) size;
}

/* Reads COUNT messages; returns how many came, each right and in its place. */
static uint32_t take(int      fd,
                     char *   room,
                     uint32_t size,
                     uint32_t count)
{
    char *   expected = malloc(ROOM);
    uint32_t number;
    ssize_t  result;

    for (number = 0; expected != NULL && number < count; number++) {
        result = read_patiently(fd, room);
        fill(expected, size, number);
        if (result != (ssize_t) size || memcmp(expected, room, size) != 0) {
            printf("message %u: read says %zd\n", number, result);
            break;
        }
    }
    free(expected);
    return number;
}

static bool is(const struct order * order,
               const char *         work)
{
    return strncmp(order->work, work, sizeof(order->work)) == 0;
}

static void work_for(int                  fd,
                     const struct order * order,
                     char *               room)
{
    uint32_t done;

    if (is(order, "back")) {
        for (done = 0; done < order->count; done++)
            if (!write_number(fd, room, order->size, done))
                break;
    } else if (is(order, "echo") || is(order, "late")) {
        for (done = 0; done < order->count; done++) {
            if (read_patiently(fd, room) != (ssize_t) order->size)
                break;
            if (is(order, "late"))
                pause_ms(300);
            if (flow_write(fd, room, order->size) != (ssize_t) order->size)
                break;
        }
    } else {
        if (is(order, "slow"))
            pause_ms(1000);
        done = take(fd, room, order->size, order->count);
        flow_write(fd, &done, sizeof(done));
    }
    printf("%s: %u of %u\n", order->work, done, order->count);
}

static void * serve_one(void * argument)
{
    int          fd = (int) (intptr_t) argument;
    char *       room = malloc(ROOM);
    struct order order;
    ssize_t      count = -ENOMEM;

    wait_in_turns(fd);
    if (room != NULL)
        count = read_patiently(fd, room);
    if (count == sizeof(order)) {
        memcpy(&order, room, sizeof(order));
        work_for(fd, &order, room);
        /* The client ends the flow, or has taken all when nothing comes. */
        read_patiently(fd, room);
    } else {
        printf("no order came: %zd\n", count);
    }
    flow_dealloc(fd);
    free(room);
    return NULL;
}

static void serve(void)
{
    qosspec_t spec;
    pthread_t thread;
    int       fd;

    for (;;) {
        spec = qos_raw;
        fd = flow_accept(&spec, NULL);
        if (fd < 0) {
            printf("accept says %d\n", fd);
            pause_ms(100);
            continue;
        }
        printf("accepted, loss %u, in_order %u\n", spec.loss, spec.in_order);
        if (pthread_create(&thread, NULL, serve_one, (void *) (intptr_t) fd) == 0)
            pthread_detach(thread);
    }
}

static uint32_t have_done(int                  fd,
                          const struct order * order,
                          char *               room)
{
    uint32_t done = 0;
    uint32_t said = 0;

    if (is(order, "back"))
        return take(fd, room, order->size, order->count);
    if (is(order, "echo") || is(order, "late")) {
        for (; done < order->count; done++) {
            if (!write_number(fd, room, order->size, done))
                break;
            if (read_patiently(fd, room) != (ssize_t) order->size)
                break;
        }
        return done;
    }
    for (; done < order->count; done++)
        if (!write_number(fd, room, order->size, done))
            return 0;
    if (read_patiently(fd, room) == sizeof(said))
        memcpy(&said, room, sizeof(said));
    return said;
}

static int ask(char ** words)
{
    qosspec_t       spec = strcmp(words[1], "data") == 0 ? qos_data : qos_best_effort;
    struct timespec patience = { 10, 0 };
    struct order    order = { .count = (uint32_t) atol(words[3]), .size = (uint32_t) atol(words[4]) };
    char *          room = malloc(ROOM);
    long long       begun;
    uint32_t        done = 0;
    int             fd = flow_alloc(words[0], &spec, &patience);

    strncpy(order.work, words[2], sizeof(order.work) - 1);
    printf("allocation says %d\n", fd < 0 ? fd : 0);
    if (fd < 0 || room == NULL)
        return 1;
    wait_in_turns(fd);
    begun = now_ms();
    if (flow_write(fd, &order, sizeof(order)) == sizeof(order))
        done = have_done(fd, &order, room);
    printf("%u of %u in %lld ms\n", done, order.count, now_ms() - begun);
    flow_dealloc(fd);
    free(room);
    return done == order.count ? 0 : 1;
}

int main(int     argc,
         char ** argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        serve();
    if (argc == 7 && strcmp(argv[1], "ask") == 0)
        return ask(argv + 2);
    fputs("usage: stream serve | stream ask NAME QUALITY WORK COUNT SIZE\n", stderr);
    return 2;
}
