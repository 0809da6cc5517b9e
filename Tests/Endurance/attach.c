// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A thousand processes that attach and leave: by exit, by _exit, by a signal, by exec, with a flow or without. irmd must
// be left with nothing of them.
//
// usage: attach ROUNDS SEED        50 processes a round

#include "support.h"

#define NAME "attach.endurance"
#define PROCESSES 50

static void serve(int ready, void *argument) {
    (void)argument;
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    int last = -1;
    for (;;) {
        int fd = flow_accept(NULL, NULL);
        if (fd < 0)
            fail("flow_accept: %d", fd);
        // The last flow's peer goes when it wants; one flow stays open.
        if (last >= 0 && flow_dealloc(last) != 0)
            fail("flow_dealloc");
        last = fd;
    }
}

static void visit(uint64_t choice) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (choice / 8 % 2) {
        int result = flow_alloc("nobody.attach.endurance", NULL, NULL);
        if (result != -ENAME)
            fail("flow_alloc to nobody: %d", result);
    } else {
        int fd = flow_alloc(NAME, NULL, NULL);
        if (fd < 0 || flow_write(fd, "hello", 5) < -EFLOWPEER)
            fail("flow_alloc: %d", fd);
        if (choice / 16 % 2 && flow_dealloc(fd) != 0)
            fail("flow_dealloc");
    }
    switch (choice % 4) {
    case 0: exit(0);
    case 1: _exit(0);
    case 2: raise(SIGKILL); break;
    default: execl("/proc/self/exe", "attach", choice / 32 % 2 ? "leave" : "visit", NULL);
    }
    _exit(1);
}

static void expect_left(pid_t pid) {
    int status = 0;
    if (waitpid(pid, &status, 0) != pid)
        fail("waitpid: %s", strerror(errno));
    if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL : WEXITSTATUS(status) != 0)
        fail("a visitor ended with status 0x%x", status);
}

static void run_round(void) {
    enum { AT_A_TIME = 10 };
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES + AT_A_TIME; i++) {
        if (i >= AT_A_TIME)
            expect_left(pids[i - AT_A_TIME]);
        if (i >= PROCESSES)
            continue;
        uint64_t choice = random_number() >> 20;
        pids[i] = fork();
        if (pids[i] == 0)
            visit(choice);
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "leave") == 0)
        return 0;
    if (argc == 2 && strcmp(argv[1], "visit") == 0)
        visit(1);
    int rounds = begin(argc, argv, 20, 120);
    pid_t server = start(serve, NULL);
    // What irmd's allocator keeps after the first visitors it keeps for all.
    run_round();
    struct holdings before = irmd_holdings();
    for (int round = 0; round < rounds; round++)
        run_round();
    // One flow may be open now that was not before, of which irmd has a descriptor until both ends have theirs.
    expect_no_growth("attach", before, 4, 1024);
    end_child(server);
    printf("%d processes attached and left\nok\n", rounds * PROCESSES);
    return 0;
}
