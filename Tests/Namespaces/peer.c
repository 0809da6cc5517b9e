/*
 * Ouroboros: either end of a flow between two hosts
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * peer serve                               echoes, and says how flows end
 * peer ask NAME TIMEOUT PATIENCE STEP...   a client of such a server
 *
 * TIMEOUT is the peer timeout of the flow, PATIENCE that of flow_alloc, both
 * in ms. Steps: a number is the size of a message that must come back; idle=MS
 * neither reads nor writes, listen=MS only reads, for so long; wait reads until
 * the flow has ended; pump=COUNT sends a message each 20 ms and counts what
 * comes back, until a second after that nothing does.
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

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static struct timespec interval(long ms)
{
    return (struct timespec) { ms / 1000, ms % 1000 * 1000000 };
}

/* Reads that wait in turns: the prototype does not wake a reader in between. */
static void wait_in_turns(int fd)
{
    struct timespec turn = interval(100);

    fccntl(fd, FLOWSFLAGS, FLOWFRDWR | FLOWFRNOPART);
    fccntl(fd, FLOWSRCVTIMEO, &turn);
}

static void * echo(void * argument)
{
    int       fd = (int) (intptr_t) argument;
    char *    room = malloc(ROOM);
    long long heard = now_ms();
    ssize_t   count = -ENOMEM;

    wait_in_turns(fd);
    while (room != NULL) {
        count = flow_read(fd, room, ROOM);
        if (count == -ETIMEDOUT)
            continue;
        if (count < 0)
            break;
        heard = now_ms();
        if (count > 0 && flow_write(fd, room, (size_t) count) < 0)
            printf("%d cannot be answered\n", fd);
    }
    printf("%d ended with %zd after %lld ms\n", fd, count, now_ms() - heard);
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
            struct timespec pause = interval(100);
            nanosleep(&pause, NULL);
            continue;
        }
        printf("%d accepted, timeout %u, in_order %u\n", fd, spec.timeout, spec.in_order);
        if (pthread_create(&thread, NULL, echo, (void *) (intptr_t) fd) == 0)
            pthread_detach(thread);
    }
}

/* One message there and back, no longer than three seconds. */
static bool exchange(int    fd,
                     size_t size)
{
    static char sent[ROOM];
    static char came[ROOM];
    long long   begun = now_ms();
    ssize_t     count;
    size_t      i;

    for (i = 0; i < size && i < ROOM; i++)
        sent[i] = (char) (i * 7 + size);
    count = flow_write(fd, sent, size);
    if (count != (ssize_t) size) {
        printf("%zu: write says %zd\n", size, count);
        return false;
    }
    do
        count = flow_read(fd, came, ROOM);
    while (count == -ETIMEDOUT && now_ms() - begun < 3000);
    if (count != (ssize_t) size || memcmp(sent, came, size) != 0) {
        printf("%zu: read says %zd\n", size, count);
        return false;
    }
    printf("%zu came back\n", size);
    return true;
}

static void wait_for_end(int fd)
{
    static char room[ROOM];
    long long   begun = now_ms();
    ssize_t     count;

    do
        count = flow_read(fd, room, ROOM);
    while (count == -ETIMEDOUT || count >= 0);
    printf("ended with %zd after %lld ms\n", count, now_ms() - begun);
}

static void pump(int fd,
                 int count)
{
    static char     room[ROOM];
    struct timespec turn = interval(5);
    long long       begun = now_ms();
    long long       heard = begun;
    int             sent = 0;
    int             back = 0;
    int             last = -1;

    fccntl(fd, FLOWSRCVTIMEO, &turn);
    for (int number = 0; number < count || now_ms() - heard < 1000;) {
        if (number < count && now_ms() - begun >= number * 20LL) {
            memcpy(room, &number, sizeof(number));
            sent += flow_write(fd, room, 64) == 64;
            number++;
            heard = now_ms();
        }
        if (flow_read(fd, room, ROOM) == 64) {
            memcpy(&last, room, sizeof(last));
            heard = now_ms();
            back++;
        }
    }
    printf("%d sent, %d came back, the last was %d\n", sent, back, last);
    wait_in_turns(fd);
}

static void listen_for(int       fd,
                       long long ms)
{
    static char room[ROOM];
    long long   begun = now_ms();

    while (now_ms() - begun < ms)
        flow_read(fd, room, ROOM);
}

static int ask(int     count,
               char ** words)
{
    qosspec_t       spec = qos_raw;
    struct timespec patience = interval(atol(words[2]));
    long long       begun = now_ms();
    struct timespec pause;
    bool            all = true;
    int             fd;
    int             i;

    spec.timeout = (uint32_t) atol(words[1]);
    fd = flow_alloc(words[0], &spec, &patience);
    printf("allocation says %d after %lld ms\n", fd < 0 ? fd : 0, now_ms() - begun);
    if (fd < 0)
        return 1;
    wait_in_turns(fd);
    for (i = 3; i < count; i++) {
        if (strncmp(words[i], "idle=", 5) == 0) {
            pause = interval(atol(words[i] + 5));
            nanosleep(&pause, NULL);
        } else if (strncmp(words[i], "listen=", 7) == 0) {
            listen_for(fd, atol(words[i] + 7));
        } else if (strncmp(words[i], "pump=", 5) == 0) {
            pump(fd, atoi(words[i] + 5));
        } else if (strcmp(words[i], "wait") == 0) {
            wait_for_end(fd);
        } else {
            all = exchange(fd, (size_t) atol(words[i])) && all;
        }
    }
    printf("deallocation says %d\n", flow_dealloc(fd));
    return all ? 0 : 1;
}

int main(int     argc,
         char ** argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        serve();
    if (argc >= 5 && strcmp(argv[1], "ask") == 0)
        return ask(argc - 2, argv + 2);
    fputs("usage: peer serve | peer ask NAME TIMEOUT PATIENCE STEP...\n", stderr);
    return 2;
}
