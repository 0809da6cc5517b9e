// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Threads that somebody waits for.

#include "CLinux.h"

#include <semaphore.h>

// What runs with another stack, and with the signals that its caller had.
struct errand {
    int (*body)(void *);
    void *argument;
    sigset_t signals;
    int result;
};

static void *run_errand(void *argument) {
    struct errand *errand = argument;
    (void)pthread_sigmask(SIG_SETMASK, &errand->signals, NULL);
    errand->result = errand->body(errand->argument);
    return NULL;
}

int cl_with_stack(size_t bytes, int (*body)(void *), void *argument) {
    struct errand errand = {.body = body, .argument = argument};
    struct rlimit limit;
    sigset_t every;
    pthread_attr_t attributes;
    pthread_t thread;
    if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= bytes)
        return body(argument);
    // The other thread alone takes signals, so that they are its own to block and to read.
    sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &errand.signals);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, bytes);
    int error = pthread_create(&thread, &attributes, run_errand, &errand);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        // No threads here: it is tried with what there is.
        (void)pthread_sigmask(SIG_SETMASK, &errand.signals, NULL);
        return body(argument);
    }
    pthread_join(thread, NULL);
    return errand.result;
}

// What a thread does for somebody who may leave before it is done. Whoever is last frees it.
struct aside {
    void (*body)(void *);
    void *argument;
    sem_t done;
    int users;
};

static void leave_aside(struct aside *aside) {
    if (__atomic_sub_fetch(&aside->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    sem_destroy(&aside->done);
    free(aside);
}

static void *run_aside(void *argument) {
    struct aside *aside = argument;
    aside->body(aside->argument);
    sem_post(&aside->done);
    leave_aside(aside);
    return NULL;
}

int cl_aside(size_t stack_bytes, void (*body)(void *), void *argument, uint64_t patience_nanoseconds) {
    struct aside *aside = malloc(sizeof *aside);
    if (aside == NULL)
        return -ENOMEM;
    *aside = (struct aside){.body = body, .argument = argument, .users = 2};
    sem_init(&aside->done, 0, 0);
    sigset_t every, before;
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset(&every);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before);
    int error = pthread_create(&thread, &attributes, run_aside, aside);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        sem_destroy(&aside->done);
        free(aside);
        return -error;
    }
    uint64_t end = cl_monotonic_nanoseconds() + patience_nanoseconds;
    struct timespec limit = {(time_t)(end / 1000000000u), (long)(end % 1000000000u)};
    // Interrupted, it waits on; refused, it waits for nothing.
    while (sem_clockwait(&aside->done, CLOCK_MONOTONIC, &limit) < 0 && errno == EINTR)
        ;
    leave_aside(aside);
    return 0;
}
