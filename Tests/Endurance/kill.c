// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kills one end of a flow at a random moment while packets travel both ways. The other end must be told, whether it
// reads, writes, or waits for events; and the next round must find everything in order.
//
// usage: kill ROUNDS SEED

#include "support.h"

#define NAME "kill.endurance"

static void check_payload(const uint8_t *packet, ssize_t count) {
    for (ssize_t i = 1; i < count; i++)
        if (packet[i] != packet[0])
            fail("a packet of %zd bytes is torn at %zd", count, i);
}

static void serve(int ready, void *argument) {
    (void)argument;
    static uint8_t packet[65536];
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    for (;;) {
        int fd = flow_accept(NULL, NULL);
        if (fd < 0)
            fail("flow_accept: %d", fd);
        ssize_t count;
        while ((count = flow_read(fd, packet, sizeof packet)) > 0) {
            check_payload(packet, count);
            if ((count = flow_write(fd, packet, (size_t)count)) < 0)
                break;
        }
        if (count != -EFLOWDOWN)
            fail("the server got %zd instead of -EFLOWDOWN", count);
        flow_dealloc(fd);
    }
}

// How the survivor waits: by reading an idle flow, by ping-pong, by events, or by writing against a full queue.
enum manner { READS, PINGS, WAITS, WRITES, MANNERS };

static void be_client(int ready, void *argument) {
    enum manner manner = *(enum manner *)argument;
    static uint8_t packet[65536];
    int fd = flow_alloc(NAME, NULL, NULL);
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    say_ready(ready);
    fset_t *set = fset_create();
    fqueue_t *queue = fqueue_create();
    if (manner == WAITS && fset_add(set, fd) < 0)
        fail("fset_add");
    for (uint8_t number = 0;; number++) {
        ssize_t result = 0;
        memset(packet, number, sizeof packet);
        if (manner == PINGS || manner == WRITES)
            result = flow_write(fd, packet, manner == PINGS ? 100 : 60000);
        if (manner == WAITS) {
            if (fevent(set, queue, NULL) != 1 || fqueue_next(queue) != fd)
                fail("fevent");
            if (fqueue_type(queue) == FLOW_DEALLOC)
                result = -EFLOWDOWN;
        }
        if (result >= 0 && (manner == READS || manner == PINGS))
            result = flow_read(fd, packet, sizeof packet);
        if (result == -EFLOWDOWN)
            break;
        if (result < 0)
            fail("the client got %zd instead of -EFLOWDOWN", result);
    }
    uint64_t when = now_ns();
    flow_dealloc(fd);
    if (write(STDERR_FILENO + 7, &when, sizeof when) != sizeof when)
        _exit(1);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 20;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : now_ns();
    printf("seed %llu\n", (unsigned long long)random_state);
    if (random_state == 0)
        random_state = 1;
    setpgid(0, 0);
    alarm(60 + (unsigned)rounds);
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
