// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kills one end of a flow at a random moment while packets travel both ways. The other end must be told, whether it
// reads, writes, waits for events or holds a message; and the next round must find everything in order.
//
// usage: kill ROUNDS SEED

#include "manners.h"

#define NAME "kill.endurance"

static void serve(int ready, void *argument) {
    (void)argument;
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    for (bool in_place = random_number() % 2;; in_place = !in_place) {
        int fd = flow_accept(NULL, NULL);
        if (fd < 0)
            fail("flow_accept: %d", fd);
        echo_until_down(fd, in_place);
        flow_dealloc(fd);
    }
}

static void be_client(int ready, void *argument) {
    int fd = flow_alloc(NAME, NULL, NULL);
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    say_ready(ready);
    use_until_down(fd, *(enum manner *)argument);
    uint64_t when = now_ns();
    flow_dealloc(fd);
    if (write(STDERR_FILENO + 7, &when, sizeof when) != sizeof when)
        _exit(1);
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 60);
    uint64_t *delays = figures(rounds);
    int pipes[2], told = 0;
    if (pipe(pipes) < 0 || dup2(pipes[1], STDERR_FILENO + 7) < 0)
        fail("pipe");
    pid_t server = start(serve, NULL);
    for (int round = 0; round < rounds; round++) {
        enum manner manner = (enum manner)(random_number() % MANNERS);
        bool kill_server = random_number() % 2;
        pid_t client = start(be_client, &manner);
        usleep((useconds_t)(random_number() % 20000));
        if (kill_server) {
            uint64_t before = now_ns(), when;
            kill(server, SIGKILL);
            if (read(pipes[0], &when, sizeof when) != sizeof when)
                fail("the survivor said nothing");
            delays[told++] = when - before;
            waitpid(server, NULL, 0);
            waitpid(client, NULL, 0);
            server = start(serve, NULL);
        } else {
            kill(client, SIGKILL);
            waitpid(client, NULL, 0);
            // The server goes on: its next flow shows that it was told.
        }
    }
    print_figures("survivor told after kill -9", delays, told);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    puts("ok");
    return 0;
}
