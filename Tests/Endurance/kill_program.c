// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kills an auto-started program at a random moment: its client is told, who waits for it gets the next one that irmd
// starts. Some of the programs die by themselves before they accept: then the allocation says so, and the next request
// starts another.
//
// usage: kill_program ROUNDS SEED

#include "support.h"

#include <limits.h>

#define NAME "kill.program.endurance"

// What irmd starts.
static int serve(uint64_t seed) {
    static uint8_t packet[4096];
    random_state = seed ^ ((uint64_t)getpid() << 20) ^ now_ns();
    if (random_number() % 4 == 0)
        raise(SIGKILL);
    for (;;) {
        int fd = flow_accept(NULL, NULL);
        pid_t self = getpid();
        if (fd < 0)
            return fd == -EIRMD ? 0 : 1;
        ssize_t count = flow_write(fd, &self, sizeof self);
        while (count > 0 && (count = flow_read(fd, packet, sizeof packet)) > 0)
            count = flow_write(fd, packet, (size_t)count);
        flow_dealloc(fd);
    }
}

static volatile int *died_early;

// A flow to the program, and its pid. A program that dies before it accepts is an answer, too.
static int allocate(pid_t *program) {
    int fd;
    while ((fd = flow_alloc(NAME, NULL, NULL)) == -EIPCP)
        __atomic_add_fetch(died_early, 1, __ATOMIC_RELAXED);
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    ssize_t count = flow_read(fd, program, sizeof *program + 1);
    if (count == sizeof *program)
        return fd;
    if (count != -EFLOWDOWN)
        fail("the program's greeting: %zd", count);
    flow_dealloc(fd);
    return allocate(program);
}

// Waits in flow_alloc while the program is busy with another flow.
static void wait_for_program(int ready, void *argument) {
    pid_t busy = *(pid_t *)argument, program = 0;
    say_ready(ready);
    int fd = allocate(&program);
    if (program == busy)
        fail("the dead program answers");
    flow_dealloc(fd);
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "serve") == 0)
        return serve(strtoull(argv[2], NULL, 0));
    int rounds = begin(argc, argv, 20, 60);
    uint64_t *delays = figures(rounds);
    char self[PATH_MAX] = "", seed[32], packet[200] = "", mode[] = "serve";
    char *arguments[] = {mode, seed};
    died_early = mmap(NULL, sizeof *died_early, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (died_early == MAP_FAILED || readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        fail("readlink");
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)random_state);
    if (irm_bind_program(self, NAME, BIND_AUTO, 2, arguments) < 0)
        fail("irm_bind_program");
    pid_t program = 0, last = 0;
    for (int round = 0; round < rounds; round++) {
        int fd = allocate(&program);
        pid_t other = start(wait_for_program, &program);
        uint64_t until = now_ns() + random_number() % 5000000;
        ssize_t count = 1;
        while (count > 0 && now_ns() < until)
            if ((count = flow_write(fd, packet, 100)) > 0)
                count = flow_read(fd, packet, sizeof packet);
        uint64_t before = now_ns();
        kill(program, SIGKILL);
        while (count >= 0)
            if ((count = flow_write(fd, packet, 100)) > 0)
                count = flow_read(fd, packet, sizeof packet);
        delays[round] = now_ns() - before;
        if (count != -EFLOWDOWN)
            fail("the client got %zd instead of -EFLOWDOWN", count);
        if (flow_dealloc(fd) != 0)
            fail("flow_dealloc");
        expect_success(other, "who waited");
        if (program == last)
            fail("the dead program answers");
        last = program;
    }
    print_figures("told after kill -9 of the program", delays, rounds);
    printf("%d programs died before they accepted\n", *died_early);
    flow_dealloc(allocate(&program));
    if (irm_unbind_program(self, NAME) < 0 || irm_destroy_name(NAME) < 0)
        fail("unbind");
    kill(program, SIGKILL);
    while (kill(program, 0) == 0)
        pause_briefly();
    puts("ok");
    return 0;
}
