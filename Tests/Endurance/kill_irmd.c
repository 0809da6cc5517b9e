// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kills irmd (one of its own, in a directory of its own) at a random moment. Flows between living processes go on,
// however their ends wait; who waits for irmd gets -EIRMD; the death of a peer is seen without irmd; IPCPs end; the
// next irmd takes over what the dead one left and starts at once, and old processes use it.
//
// usage: kill_irmd ROUNDS SEED

#include "support.h"

#include <fcntl.h>
#include <pthread.h>

#define NAME "kill.irmd.endurance"

static char directory[64];

// What the processes of this run share.
static struct shared {
    volatile uint64_t packets;  // of the pair that is never disturbed
    volatile uint64_t commands; // of who manages all the time
    volatile int round;         // the client takes a new flow when it changes
    volatile int client_round;  // and says so here
} *shared;

static pid_t start_irmd(void) {
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int log = open("irmd.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(log, 1);
        dup2(log, 2);
        execlp("irmd", "irmd", "--stdout", NULL);
        _exit(127);
    }
    struct ipcp_list_info *list = NULL;
    while (irm_list_ipcps(&list) < 0) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            fail("irmd does not start");
        pause_briefly();
    }
    free(list);
    return pid;
}

static void bind_patiently(const char *name) {
    int result;
    while ((result = irm_bind_process(getpid(), name)) == -EIRMD)
        pause_briefly();
    if (result < 0 && result != -EPERM)
        fail("bind: %d", result);
}

static void *echo(void *argument) {
    uint8_t packet[256];
    int fd = (int)(intptr_t)argument;
    ssize_t count;
    while ((count = flow_read(fd, packet, sizeof packet)) > 0)
        if ((count = flow_write(fd, packet, (size_t)count)) < 0)
            break;
    if (count != -EFLOWDOWN)
        fail("the server got %zd instead of -EFLOWDOWN", count);
    flow_dealloc(fd);
    return NULL;
}

static void serve(int ready, void *argument) {
    (void)argument;
    bind_patiently(NAME);
    say_ready(ready);
    for (;;) {
        pthread_t thread;
        int fd = flow_accept(NULL, NULL);
        if (fd == -EIRMD)
            bind_patiently(NAME);
        else if (fd < 0)
            fail("flow_accept: %d", fd);
        else if (pthread_create(&thread, NULL, echo, (void *)(intptr_t)fd) != 0 || pthread_detach(thread) != 0)
            fail("pthread_create");
    }
}

// Right after irmd's start nobody is bound yet.
static int allocate_patiently(const char *name) {
    int fd;
    while ((fd = flow_alloc(name, NULL, NULL)) == -EIRMD || fd == -ENAME || fd == -EIPCP)
        pause_briefly();
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    return fd;
}

static void be_client(int ready, void *argument) {
    uint64_t packet[12] = {0}, answer[13];
    int fd = -1;
    (void)argument;
    say_ready(ready);
    for (;;) {
        if (fd < 0 || shared->client_round != shared->round) {
            int round = shared->round;
            // The old flow may be of an irmd that is no more, of which this process may learn only now.
            int result = fd >= 0 ? flow_dealloc(fd) : 0;
            if (result != 0 && result != -EIRMD)
                fail("flow_dealloc: %d", result);
            fd = allocate_patiently(NAME);
            shared->client_round = round;
        }
        packet[0] = packet[11] = shared->packets + 1;
        if (flow_write(fd, packet, sizeof packet) != sizeof packet)
            fail("the undisturbed client cannot write");
        ssize_t count = flow_read(fd, answer, sizeof answer);
        if (count != sizeof packet || memcmp(packet, answer, sizeof packet) != 0)
            fail("the undisturbed client read %zd", count);
        shared->packets++;
    }
}

// Something for irmd to be in the middle of.
static void manage(int ready, void *argument) {
    (void)argument;
    say_ready(ready);
    for (unsigned number = 0;; number++) {
        struct name_info name = {.pol_lb = LB_RR};
        snprintf(name.name, sizeof name.name, "%u.manage.endurance", number % 10);
        int result = number / 10 % 2 ? irm_destroy_name(name.name) : irm_create_name(&name);
        // Another irmd knows nothing of what was created with the last.
        if (result == -EIRMD)
            pause_briefly();
        else if (result < 0 && result != -ENAME && result != -EPERM && result != -EEXIST && result != -1)
            fail("management: %d", result);
        shared->commands++;
    }
}

static void accept_in_vain(int ready, void *argument) {
    (void)argument;
    bind_patiently("idle.endurance");
    say_ready(ready);
    int result = flow_accept(NULL, NULL);
    if (result != -EIRMD)
        fail("flow_accept: %d instead of -EIRMD", result);
}

static void allocate_in_vain(int ready, void *argument) {
    (void)argument;
    // Ourselves, not by our pid: nobody who accepts, but served.
    bind_patiently("unserved.endurance");
    say_ready(ready);
    int result = flow_alloc("unserved.endurance", NULL, NULL);
    if (result != -EIRMD)
        fail("flow_alloc: %d instead of -EIRMD", result);
}

// The two ends of three flows, on each of which `wait` waits in another manner until `poke` does something.
enum { READ_FLOW, EVENT_FLOW, WRITE_FLOW, FLOWS };
static int poke_pipe[2];
static volatile bool *peer_dies;

static void poke(int ready, void *argument) {
    static uint8_t packet[70000];
    int fds[FLOWS];
    char byte;
    (void)argument;
    bind_patiently("poke.endurance");
    say_ready(ready);
    for (int i = 0; i < FLOWS; i++)
        if ((fds[i] = flow_accept(NULL, NULL)) < 0)
            fail("poke: flow_accept: %d", fds[i]);
    if (read(poke_pipe[0], &byte, 1) != 1)
        fail("nobody pokes");
    for (int i = 0; i < WRITE_FLOW; i++)
        if (flow_write(fds[i], packet, 100) != 100)
            fail("poke cannot write");
    while (flow_read(fds[WRITE_FLOW], packet, sizeof packet) > 0)
        ;
}

struct waiter {
    int manner, fd;
};

static void *wait_on_flow(void *argument) {
    struct waiter *waiter = argument;
    static _Thread_local uint8_t packet[70000];
    ssize_t result = 0;
    if (waiter->manner == READ_FLOW) {
        result = flow_read(waiter->fd, packet, sizeof packet);
    } else if (waiter->manner == EVENT_FLOW) {
        fset_t *set = fset_create();
        fqueue_t *queue = fqueue_create();
        if (fset_add(set, waiter->fd) < 0 || fevent(set, queue, NULL) != 1 || fqueue_next(queue) != waiter->fd)
            fail("fevent");
        result = fqueue_type(queue) == FLOW_DEALLOC ? -EFLOWDOWN : 100;
    } else {
        // 30 messages are above the limit of a queue, so this ends only when somebody reads.
        for (int i = 0; i < 30 && result >= 0; i++)
            result = flow_write(waiter->fd, packet, 60000);
        result = result > 0 ? 100 : result;
    }
    if (result != (*peer_dies ? -EFLOWDOWN : 100))
        fail("manner %d: %zd", waiter->manner, result);
    return NULL;
}

static void wait_in_all_manners(int ready, void *argument) {
    struct waiter waiters[FLOWS];
    pthread_t threads[FLOWS];
    (void)argument;
    for (int i = 0; i < FLOWS; i++) {
        waiters[i] = (struct waiter){i, flow_alloc("poke.endurance", NULL, NULL)};
        if (waiters[i].fd < 0)
            fail("waiter: flow_alloc: %d", waiters[i].fd);
        if (pthread_create(&threads[i], NULL, wait_on_flow, &waiters[i]) != 0)
            fail("pthread_create");
    }
    say_ready(ready);
    for (int i = 0; i < FLOWS; i++)
        pthread_join(threads[i], NULL);
}

static pid_t create_ipcp(void) {
    pid_t pid = create_local_ipcp("ipcp");
    int result = bootstrap_local_ipcp(pid, "layer");
    if (result < 0)
        fail("irm_bootstrap_ipcp: %d", result);
    return pid;
}

static void await_progress(volatile uint64_t *counter) {
    uint64_t before = *counter;
    while (*counter < before + 50)
        pause_briefly();
}

static pid_t run_round(pid_t irmd, uint64_t *restart) {
    *peer_dies = random_number() % 2;
    pid_t ipcp = create_ipcp();
    pid_t acceptor = start(accept_in_vain, NULL);
    pid_t caller = start(allocate_in_vain, NULL);
    pid_t peer = start(poke, NULL);
    pid_t waiter = start(wait_in_all_manners, NULL);
    shared->round++;
    while (shared->client_round != shared->round)
        pause_briefly();
    await_progress(&shared->packets);
    await_progress(&shared->commands);
    usleep((useconds_t)(random_number() % 20000));

    kill(irmd, SIGKILL);
    waitpid(irmd, NULL, 0);
    expect_success(acceptor, "who accepted");
    expect_success(caller, "who allocated");
    await_progress(&shared->packets);
    if (flow_alloc(NAME, NULL, NULL) != -EIRMD)
        fail("there is an irmd");
    if (*peer_dies)
        kill(peer, SIGKILL);
    else if (write(poke_pipe[1], "!", 1) != 1)
        fail("poke");
    expect_success(waiter, "who waited for a peer");
    waitpid(peer, NULL, 0);
    // The IPCP has become our child, since its parent is gone.
    if (waitpid(ipcp, NULL, 0) != ipcp)
        fail("the IPCP does not end");

    uint64_t before = now_ns();
    irmd = start_irmd();
    *restart = now_ns() - before;
    await_progress(&shared->packets);
    return irmd;
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 60);
    uint64_t *restarts = figures(rounds);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    peer_dies = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const char *scratch = getenv("ENDURANCE_WORK");
    snprintf(directory, sizeof directory, "%.40s/irmd.XXXXXX", scratch ? scratch : "/tmp");
    if (!mkdtemp(directory) || chdir(directory) < 0 || pipe(poke_pipe) < 0)
        fail("%s: %s", directory, strerror(errno));
    setenv("OUROBOROS_RUNTIME_DIR", directory, 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t irmd = start_irmd();
    pid_t server = start(serve, NULL);
    pid_t client = start(be_client, NULL);
    pid_t manager = start(manage, NULL);
    for (int round = 0; round < rounds; round++)
        irmd = run_round(irmd, &restarts[round]);
    print_figures("an irmd after kill -9 answers", restarts, rounds);

    end_child(client);
    end_child(server);
    end_child(manager);
    int status = 0;
    kill(irmd, SIGTERM);
    waitpid(irmd, &status, 0);
    if (status != 0)
        fail("irmd ended with status 0x%x", status);
    if (waitpid(-1, NULL, 0) > 0)
        fail("a process is left");
    unlink("irmd.log");
    unlink("irm.lock");
    if (chdir("/") < 0 || rmdir(directory) < 0)
        fail("something is left in %s", directory);
    puts("ok");
    return 0;
}
