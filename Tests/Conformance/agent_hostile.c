/*
 * Ouroboros: what agents do that no honest program does
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#define _GNU_SOURCE

#include "agent.h"

#include <limits.h>
#include <pthread.h>

#include <linux/futex.h>
#include <sys/syscall.h>

static int flooded;

static void * flood(void * unused)
{
    while (flow_write(flooded, "", 0) == 0)
        ;

    return unused;
}

long long hostile_flood(int fd)
{
    pthread_t thread;

    flooded = fd;
    return -pthread_create(&thread, NULL, flood, NULL);
}

static long long requeue_all(uint32_t * first,
                             uint32_t * end)
{
    uint32_t * target = end - 1;
    long long  moved = 0;

    for (; first < target; first++) {
        /* Nobody sleeps on a word of zeroes. */
        long result = *(volatile uint32_t *) first == 0
            ? 0 : syscall(SYS_futex, first, FUTEX_REQUEUE, 0,
                          (void *) (intptr_t) INT_MAX, target, 0);

        moved += result > 0 ? result : 0;
    }

    return moved;
}

/* Everybody who sleeps on a word that this process shares with its peers. */
long long hostile_requeue(void)
{
    FILE *        maps = fopen("/proc/self/maps", "r");
    char          line[512];
    unsigned long begin;
    unsigned long end;
    long long     moved = 0;

    if (maps == NULL)
        return -1;
    while (fgets(line, sizeof(line), maps) != NULL)
        if (strstr(line, "memfd:ouroboros-link") != NULL
            && sscanf(line, "%lx-%lx", &begin, &end) == 2)
            moved += requeue_all((uint32_t *) begin, (uint32_t *) end);
    fclose(maps);
    return moved;
}
