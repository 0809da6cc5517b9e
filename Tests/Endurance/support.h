// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the endurance programs share: a watchdog, a seeded random source, servers in child processes, figures.

#ifndef ENDURANCE_SUPPORT_H
#define ENDURANCE_SUPPORT_H

#define _GNU_SOURCE
#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/irm.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((unused, noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "FAILED: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    kill(0, SIGTERM);
    _exit(1);
}

__attribute__((unused)) static uint64_t random_state;

// xorshift64*: the seed is printed, so that a failure can be had again.
__attribute__((unused)) static uint64_t random_number(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

__attribute__((unused)) static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Starts `body` in a child that dies with us and has said that it is ready.
__attribute__((unused)) static pid_t start(void (*body)(int ready, void *), void *argument) {
    int ready[2];
    char byte;
    if (pipe(ready) < 0)
        fail("pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        body(ready[1], argument);
        _exit(0);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        fail("a child did not become ready");
    close(ready[0]);
    return pid;
}

__attribute__((unused)) static void say_ready(int ready) {
    if (write(ready, "r", 1) != 1)
        _exit(1);
    close(ready);
}

__attribute__((unused)) static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

__attribute__((unused)) static void print_figures(const char *what, uint64_t *ns, int count) {
    if (count == 0)
        return;
    qsort(ns, (size_t)count, sizeof *ns, compare_u64);
    printf("%s: %d rounds, p50 %.3f ms, p99 %.3f ms, max %.3f ms\n", what, count, (double)ns[count / 2] / 1e6,
           (double)ns[count * 99 / 100] / 1e6, (double)ns[count - 1] / 1e6);
}

#endif
