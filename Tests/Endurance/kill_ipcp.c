// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kills an IPCP of a local layer at a random moment while packets travel over its flows: both ends must be told, in
// whatever manner they wait. irmd must list the truth, and an IPCP of the same name can be created at once.
//
// usage: kill_ipcp ROUNDS SEED

#include "manners.h"

#define NAME "kill.ipcp.endurance"
#define IPCP "ipcp.endurance"
#define LAYER "layer.endurance"

static int reports[2];

// Each end says when it was told.
static void report(void) {
    uint64_t when = now_ns();
    if (write(reports[1], &when, sizeof when) != sizeof when)
        _exit(1);
}

static void serve(int ready, void *argument) {
    (void)argument;
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    for (bool in_place = false;; in_place = !in_place) {
        int fd = flow_accept(NULL, NULL);
        if (fd < 0)
            fail("flow_accept: %d", fd);
        echo_until_down(fd, in_place);
        report();
        if (flow_dealloc(fd) != 0)
            fail("flow_dealloc");
    }
}

static void be_client(int ready, void *argument) {
    int fd = flow_alloc(NAME, NULL, NULL);
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    say_ready(ready);
    use_until_down(fd, *(enum manner *)argument);
    report();
    if (flow_dealloc(fd) != 0)
        fail("flow_dealloc");
}

static void await_end(pid_t ipcp) {
    while (ipcp_pid(IPCP) == ipcp || kill(ipcp, 0) == 0)
        pause_briefly();
}

// The IPCP dies while management deals with it.
static void kill_in_management(void) {
    pid_t ipcp = create_local_ipcp(IPCP);
    useconds_t pause = (useconds_t)(random_number() % 400);
    pid_t killer = fork();
    if (killer == 0) {
        usleep(pause);
        kill(ipcp, SIGKILL);
        _exit(0);
    }
    for (int i = 0, result = 0; i < 50 && result == 0; i++) {
        result = i == 0 ? bootstrap_local_ipcp(ipcp, LAYER) : i % 2 ? irm_reg_name(NAME, ipcp) : irm_unreg_name(NAME, ipcp);
        if (result != 0 && result != -EIPCP && result != -EPERM)
            fail("management of an IPCP that dies: %d in step %d", result, i);
    }
    waitpid(killer, NULL, 0);
    await_end(ipcp);
}

// Both ends of a flow of the layer are told.
static uint64_t kill_in_traffic(void) {
    enum manner manner = (enum manner)(random_number() % MANNERS);
    pid_t ipcp = create_local_ipcp(IPCP);
    int result = bootstrap_local_ipcp(ipcp, LAYER);
    if (result == 0)
        result = irm_reg_name(NAME, ipcp);
    if (result < 0)
        fail("bootstrap or register: %d", result);
    pid_t client = start(be_client, &manner);
    usleep((useconds_t)(random_number() % 10000));
    uint64_t before = now_ns(), when = 0;
    kill(ipcp, SIGKILL);
    for (int end = 0; end < 2; end++)
        if (read(reports[0], &when, sizeof when) != sizeof when)
            fail("an end said nothing");
    expect_success(client, "the client");
    await_end(ipcp);
    return when - before;
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 60);
    uint64_t *delays = figures(rounds);
    if (pipe(reports) < 0)
        fail("pipe");
    struct name_info name = {.name = NAME, .pol_lb = LB_RR};
    if (irm_create_name(&name) < 0)
        fail("irm_create_name");
    pid_t server = start(serve, NULL);
    for (int round = 0; round < rounds; round++) {
        kill_in_management();
        delays[round] = kill_in_traffic();
    }
    print_figures("both ends told after kill -9 of the IPCP", delays, rounds);
    end_child(server);
    if (irm_destroy_name(NAME) < 0)
        fail("irm_destroy_name");
    puts("ok");
    return 0;
}
