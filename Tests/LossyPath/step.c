// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kills a process after so many instructions of a call on a flow to another host, which it shares with its parent. The
// parent's next message comes back, or the flow is down for it and for the server, if the process died within the call;
// nobody waits for ever, and a new flow is as good as the first.
//
// usage: step serve NAME
//        step kill NAME DEATHS SEED

#define _GNU_SOURCE
#include "random.h"

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/irm.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 3000, MOST_STEPS = 1 << 14 };
enum operation { WRITE, WRITEV, COMMIT, READ, READ_PART, RELEASE, OPERATIONS };
static const char *const names[OPERATIONS] = {"flow_write", "flow_writev", "flow_commit",
                                              "flow_read", "flow_read in parts", "flow_release"};

static void fail(const char *what, long result) {
    printf("%s: %ld\n", what, result);
    exit(1);
}

static int serve(const char *name) {
    uint8_t message[BYTES + 1];
    if (irm_bind_process(getpid(), name) < 0)
        return 1;
    for (;;) {
        ssize_t count;
        int fd = flow_accept(NULL, NULL);
        if (fd < 0)
            return 1;
        while ((count = flow_read(fd, message, sizeof message)) >= 0)
            if (count > 0 && flow_write(fd, message, (size_t)count) < 0)
                break;
        flow_dealloc(fd);
    }
}

static void fill(uint8_t *message, uint64_t number) {
    memset(message, (int)(number * 37 % 251), BYTES);
    memcpy(message, &number, sizeof number);
}

static void operate(int fd, enum operation operation, uint64_t number) {
    uint8_t bytes[BYTES + 1];
    struct iovec parts[2] = {{bytes, 20}, {bytes + 20, BYTES - 20}};
    fill(bytes, number);
    switch (operation) {
    case WRITE: flow_write(fd, bytes, BYTES); break;
    case WRITEV: flow_writev(fd, parts, 2); break;
    case COMMIT: flow_commit(fd, BYTES); break;
    case READ: flow_read(fd, bytes, BYTES + 1); break;
    case READ_PART: flow_read(fd, bytes, 20); break;
    case RELEASE: flow_release(fd); break;
    case OPERATIONS: break;
    }
}

static void be_victim(int fd, enum operation operation, uint64_t number) {
    void *place;
    const void *message;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (operation == COMMIT && flow_reserve(fd, &place, BYTES) == BYTES)
        fill(place, number);
    if (operation == RELEASE)
        flow_peek(fd, &message);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    operate(fd, operation, number);
    raise(SIGSTOP);
    _exit(0);
}

// False if the call was over before.
static bool kill_after(long steps, int fd, enum operation operation, uint64_t number) {
    int status = 0;
    bool is_done = false;
    pid_t victim = fork();
    if (victim == 0)
        be_victim(fd, operation, number);
    for (waitpid(victim, &status, 0); steps > 0 && !is_done; steps--) {
        if (!WIFSTOPPED(status) || ptrace(PTRACE_SINGLESTEP, victim, NULL, NULL) < 0)
            fail("the victim cannot be stepped", status);
        waitpid(victim, &status, 0);
        is_done = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
    }
    kill(victim, SIGKILL);
    waitpid(victim, NULL, 0);
    return !is_done;
}

static int allocate(const char *name) {
    struct timespec patience = {.tv_sec = 20};
    qosspec_t quality = qos_data;
    int fd = flow_alloc(name, &quality, &patience);
    if (fd < 0 || fccntl(fd, FLOWSRCVTIMEO, &patience) != 0 || fccntl(fd, FLOWSSNDTIMEO, &patience) != 0)
        fail("a flow", fd);
    return fd;
}

static void send_message(int fd, uint64_t number) {
    uint8_t message[BYTES];
    fill(message, number);
    ssize_t count = flow_write(fd, message, BYTES);
    if (count != BYTES)
        fail("a message before the death", count);
}

// Whether the parent can go on with the flow: its message comes back, behind what the victim has left.
static bool goes_on(int fd, uint64_t number) {
    uint8_t message[BYTES + 1], right[BYTES];
    fill(message, number);
    ssize_t count = flow_write(fd, message, BYTES);
    while (count > 0) {
        count = flow_read(fd, message, sizeof message);
        if (count == 0 || (count > 0 && count < BYTES)) {
            count = 1; // The rest of what the victim has read in part.
            continue;
        }
        if (count < 0)
            break;
        uint64_t came;
        memcpy(&came, message, sizeof came);
        fill(right, came);
        if (memcmp(message, right, BYTES) != 0)
            fail("a message is torn", (long)came);
        if (came == number)
            return true;
    }
    if (count != -EFLOWDOWN)
        fail("the survivor waits", count);
    return false;
}

static int kill_many(const char *name, long deaths) {
    int fd = allocate(name);
    uint64_t number = 1;
    long within[OPERATIONS] = {0}, down[OPERATIONS] = {0};
    for (int operation = 0; operation < OPERATIONS; operation++)
        for (long death = 0; death < deaths; death++) {
            if (operation >= READ) {
                // In one go, so that the call does not wait.
                size_t count = 0;
                send_message(fd, number++);
                while (fccntl(fd, FLOWGRXQLEN, &count) == 0 && count == 0)
                    usleep(500);
            }
            long steps = (long)(random_number() % MOST_STEPS);
            bool is_within = kill_after(steps, fd, (enum operation)operation, number++);
            within[operation] += is_within;
            if (goes_on(fd, number++))
                continue;
            if (!is_within)
                fail("a death behind a call ends the flow", steps);
            down[operation]++;
            flow_dealloc(fd);
            fd = allocate(name);
            if (!goes_on(fd, number++))
                fail("a new flow is down", number);
        }
    flow_dealloc(fd);
    for (int operation = 0; operation < OPERATIONS; operation++)
        printf("%s: %ld deaths, %ld within the call, %ld of them end the flow\n", names[operation], deaths,
               within[operation], down[operation]);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc != 5 || strcmp(argv[1], "kill") != 0) {
        fprintf(stderr, "usage: step serve NAME | step kill NAME DEATHS SEED\n");
        return 2;
    }
    random_state = strtoull(argv[4], NULL, 10) | 1;
    return kill_many(argv[2], atol(argv[3]));
}
