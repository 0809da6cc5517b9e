// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#define _GNU_SOURCE
#include "conductor.h"
#include "clock.h"
#include "output.h"
#include "progress.h"
#include "trial.h"

#include <ouroboros/errno.h>
#include <ouroboros/irm.h>

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
// What was blocked when we were started.
static sigset_t mask;
static struct name_info name = {.pol_lb = LB_SPILL};
static int failures;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = sizeof signals / sizeof *signals };

static void note_signal(int number) { caught = number; }

static void handle_signals(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, NULL);
}

static void hold_signals(void) {
    sigset_t held;
    sigemptyset(&held);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&held, signals[i]);
    sigprocmask(SIG_BLOCK, &held, &mask);
}

int conductor_wait(int file, uint64_t deadline) {
    struct pollfd poll = {.fd = file, .events = POLLIN};
    uint64_t now = nanoseconds_now();
    struct timespec left = timespec_of(deadline > now ? deadline - now : 0);
    return caught ? -1 : ppoll(&poll, 1, &left, &mask);
}

static void check_name(int result) {
    if (result == 0)
        return;
    memset(name.name, 0, sizeof name.name);
    if (result == -EIRMD)
        conductor_fail("irmd is not reachable. Start one with 'irmd --stdout', and set OUROBOROS_RUNTIME_DIR if it is "
                       "not the one of the system");
    if (result == -EPERM)
        conductor_fail("irmd refuses to make a name: that takes its own user, root, or the group ouroboros");
    conductor_fail("irm_create_name: %d", result);
}

void conductor_begin(void) {
    uint64_t number = 0;
    handle_signals(note_signal);
    hold_signals();
    signal(SIGPIPE, SIG_IGN);
    phase_word = shared_memory(sizeof *phase_word);
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        conductor_fail("there are no random numbers");
    snprintf(name.name, sizeof name.name, "obench.%016llx", (unsigned long long)number);
    flow_service_name = name.name;
    check_name(irm_create_name(&name));
}

int conductor_end(void) {
    if (name.name[0])
        irm_destroy_name(name.name);
    name.name[0] = 0;
    return failures == 0 ? 0 : 1;
}

void conductor_fail(const char *format, ...) {
    va_list arguments;
    progress_clear();
    fprintf(stderr, "obench: ");
    va_start(arguments, format);
    output_error(format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    conductor_end();
    exit(1);
}

void conductor_end_if_interrupted(void) {
    if (!caught)
        return;
    progress_clear();
    conductor_end();
    // The parent shall see by what we ended.
    conductor_forget_signals();
    raise(caught);
    exit(1);
}

void conductor_forget_signals(void) {
    handle_signals(SIG_DFL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

void conductor_note_failure(const char *what) {
    progress_clear();
    fprintf(stderr, "obench: %s failed\n", what);
    failures++;
}
