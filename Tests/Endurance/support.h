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

#include <dirent.h>
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
#include <sys/socket.h>
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

// Room for a figure of each round.
__attribute__((unused)) static uint64_t *figures(int rounds) {
    static uint64_t *memory;
    memory = calloc((size_t)rounds + 1, sizeof *memory);
    if (!memory)
        fail("no memory");
    return memory;
}

__attribute__((unused)) static void print_figures(const char *what, uint64_t *ns, int count) {
    if (count == 0)
        return;
    qsort(ns, (size_t)count, sizeof *ns, compare_u64);
    printf("%s: %d rounds, p50 %.3f ms, p99 %.3f ms, max %.3f ms\n", what, count, (double)ns[count / 2] / 1e6,
           (double)ns[count * 99 / 100] / 1e6, (double)ns[count - 1] / 1e6);
}

// Every program: arguments ROUNDS SEED, a process group of its own, a watchdog.
__attribute__((unused)) static int begin(int argc, char **argv, int rounds, unsigned seconds) {
    if (argc > 1)
        rounds = atoi(argv[1]);
    random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : now_ns();
    printf("seed %llu\n", (unsigned long long)random_state);
    fflush(stdout);
    if (random_state == 0)
        random_state = 1;
    setpgid(0, 0);
    alarm(seconds + (unsigned)rounds * 2);
    return rounds;
}

// Lets others run for a moment while something is awaited that the watchdog bounds.
__attribute__((unused)) static void pause_briefly(void) { usleep(1000); }

// Ends a child that ends in order, or with SIGKILL what does not.
__attribute__((unused)) static void end_child(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

// Waits for a child that must succeed.
__attribute__((unused)) static void expect_success(pid_t pid, const char *what) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail("%s ended with status 0x%x", what, status);
}

// A value of /proc/PID/status in KiB; -1 if there is none.
__attribute__((unused)) static long status_kib(pid_t pid, const char *key) {
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *status = fopen(path, "r");
    while (status && kib < 0 && fgets(line, sizeof line, status))
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            kib = atol(line + strlen(key) + 1);
    if (status)
        fclose(status);
    return kib;
}

// A process must not grow by more than what its allocator may keep. A sanitizer's allocator keeps everything.
__attribute__((unused)) static void expect_little_growth(const char *who, long before, long after, long allowed) {
    if (after > before + allowed && !getenv("ENDURANCE_SANITIZED"))
        fail("%s grows from %ld to %ld KiB", who, before, after);
}

__attribute__((unused)) static int descriptors_of(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    int count = 0;
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

// The irmd of this run, whose descriptors and memory are looked at; 0 if it was not told.
__attribute__((unused)) static pid_t irmd_pid(void) {
    const char *text = getenv("ENDURANCE_IRMD");
    return text ? atoi(text) : 0;
}

// What irmd has must come back to what it had: descriptors but for what is under way, memory but for what the allocator
// keeps.
struct holdings {
    int descriptors;
    long kib;
};

__attribute__((unused)) static struct holdings irmd_holdings(void) {
    return (struct holdings){descriptors_of(irmd_pid()), status_kib(irmd_pid(), "RssAnon")};
}

__attribute__((unused)) static void expect_no_growth(const char *what, struct holdings before, int allowed,
                                                     long kib_allowed) {
    if (irmd_pid() == 0)
        return;
    struct holdings after = irmd_holdings();
    // irmd learns of deaths at once, but not before the kernel says so.
    for (; after.descriptors > before.descriptors + allowed; after = irmd_holdings())
        pause_briefly();
    printf("%s: irmd had %d descriptors and %ld KiB, has %d and %ld KiB\n", what, before.descriptors, before.kib,
           after.descriptors, after.kib);
    expect_little_growth("irmd", before.kib, after.kib, kib_allowed);
}

// The pid of an IPCP; 0 if irmd lists none of that name.
__attribute__((unused)) static pid_t ipcp_pid(const char *name) {
    struct ipcp_list_info *list = NULL;
    ssize_t count = irm_list_ipcps(&list);
    pid_t pid = 0;
    if (count < 0)
        fail("irm_list_ipcps: %zd", count);
    for (ssize_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            pid = list[i].pid;
    free(list);
    return pid;
}

__attribute__((unused)) static pid_t create_local_ipcp(const char *name) {
    int result = irm_create_ipcp(name, IPCP_LOCAL);
    pid_t pid = result < 0 ? 0 : ipcp_pid(name);
    if (pid == 0)
        fail("irm_create_ipcp: %d", result);
    return pid;
}

// Makes it the first member of a layer; the result is the library's.
__attribute__((unused)) static int bootstrap_local_ipcp(pid_t pid, const char *layer) {
    struct ipcp_config config;
    memset(&config, 0, sizeof config);
    config.type = IPCP_LOCAL;
    config.layer_info.dir_hash_algo = DIR_HASH_SHA3_256;
    snprintf(config.layer_info.name, sizeof config.layer_info.name, "%s", layer);
    return irm_bootstrap_ipcp(pid, &config);
}

#endif
