// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An honest server and an honest client, who allocate, speak and deallocate for ever while others misbehave.

#ifndef ENDURANCE_HONEST_H
#define ENDURANCE_HONEST_H

#include "support.h"

struct honest {
    pid_t server, client;
    volatile uint64_t *flows; // that the client has had
    char name[64];
};

static void honest_serve(int ready, void *argument) {
    struct honest *honest = argument;
    uint64_t packet[17];
    if (irm_bind_process(getpid(), honest->name) < 0)
        fail("the honest server's bind");
    say_ready(ready);
    for (;;) {
        int fd = flow_accept(NULL, NULL);
        if (fd < 0)
            fail("the honest server's flow_accept: %d", fd);
        ssize_t count;
        while ((count = flow_read(fd, packet, sizeof packet)) > 0)
            if ((count = flow_write(fd, packet, (size_t)count)) < 0)
                break;
        if (count != -EFLOWDOWN)
            fail("the honest server's flow: %zd", count);
        flow_dealloc(fd);
    }
}

static void honest_speak(int ready, void *argument) {
    struct honest *honest = argument;
    uint64_t packet[16], answer[17];
    say_ready(ready);
    for (;;) {
        int fd = flow_alloc(honest->name, NULL, NULL);
        if (fd < 0)
            fail("the honest client's flow_alloc: %d", fd);
        for (uint64_t number = 0; number < 10; number++) {
            for (int i = 0; i < 16; i++)
                packet[i] = number * 31 + (uint64_t)i + *honest->flows;
            if (flow_write(fd, packet, sizeof packet) != sizeof packet)
                fail("the honest client's flow_write");
            ssize_t count = flow_read(fd, answer, sizeof answer);
            if (count != sizeof packet || memcmp(packet, answer, sizeof packet) != 0)
                fail("the honest client's flow_read: %zd", count);
        }
        if (flow_dealloc(fd) != 0)
            fail("the honest client's flow_dealloc");
        ++*honest->flows;
    }
}

static void start_honest(struct honest *honest, const char *name) {
    snprintf(honest->name, sizeof honest->name, "%s", name);
    honest->flows = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (honest->flows == MAP_FAILED)
        fail("mmap");
    honest->server = start(honest_serve, honest);
    honest->client = start(honest_speak, honest);
}

// They live, and have had so many more flows.
static void expect_honest_progress(struct honest *honest, uint64_t flows) {
    uint64_t before = *honest->flows;
    do {
        if (waitpid(honest->server, NULL, WNOHANG) != 0 || waitpid(honest->client, NULL, WNOHANG) != 0)
            fail("an honest process has died");
        pause_briefly();
    } while (*honest->flows < before + flows);
}

static void end_honest(struct honest *honest) {
    end_child(honest->client);
    end_child(honest->server);
}

#endif
