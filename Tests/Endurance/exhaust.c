// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A process that has used up what it may have: descriptors of the kernel, address space, mappings, flow sets. Each
// time the call says why, and what is given back can be had again; flows that there are work in every way all the while.
//
// usage: exhaust ROUNDS SEED        from 100 rounds on also as many flows as there can be

#include "honest.h"
#include "manners.h"

#include <sys/resource.h>

#define NAME "exhaust.endurance"
#define MOST 66000

// Accepts whatever comes, and keeps it until its peer goes.
static void serve(int ready, void *argument) {
    fset_t *set = fset_create();
    fqueue_t *queue = fqueue_create();
    struct timespec none = {0, 0}, moment = {0, 20000000};
    (void)argument;
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    for (;;) {
        int fd = flow_accept(NULL, &moment);
        if (fd >= 0 && fset_add(set, fd) != 0)
            fail("fset_add");
        if (fd < 0 && fd != -ETIMEDOUT && fd != -EBADF && fd != -ENOMEM)
            fail("flow_accept: %d", fd);
        while (fevent(set, queue, &none) == 1)
            while ((fd = fqueue_next(queue)) >= 0)
                if (fqueue_type(queue) == FLOW_DEALLOC)
                    flow_dealloc(fd);
    }
}

static int fds[MOST];

// As many flows as there can be; the last error.
static int fill(int *count) {
    struct timespec patience = {2, 0};
    int fd = 0;
    for (*count = 0; *count < MOST && (fd = flow_alloc(NAME, NULL, &patience)) >= 0; ++*count)
        fds[*count] = fd;
    return fd;
}

static void expect_use(int fd) {
    char packet[10] = "something";
    if (flow_write(fd, packet, sizeof packet) != sizeof packet)
        fail("a flow among many cannot be written");
}

// What was full is not full any more.
static void empty(const char *what, int count) {
    int fd;
    if (count > 0) {
        expect_use(fds[0]);
        expect_use(fds[count / 2]);
        expect_use(fds[count - 1]);
    }
    for (int i = 0; i < count; i++)
        if (flow_dealloc(fds[i]) != 0)
            fail("%s: flow_dealloc", what);
    // The server may not have given back its ends yet.
    while ((fd = flow_alloc(NAME, NULL, NULL)) == -EBADF || fd == -ENOMEM)
        pause_briefly();
    if (fd < 0)
        fail("%s: a flow afterwards: %d", what, fd);
    expect_use(fd);
    if (flow_dealloc(fd) != 0)
        fail("%s: flow_dealloc", what);
}

// A flow of which each message comes back, in a set with a descriptor. Made before anything is used up.
static struct end flow;

static void make_flow(struct honest *echo) {
    snprintf(echo->name, sizeof echo->name, "echo.exhaust.endurance");
    echo->server = start(honest_serve, echo);
    flow = (struct end){.fd = flow_alloc(echo->name, NULL, NULL), .set = fset_create(), .queue = fqueue_create()};
    if (flow.fd < 0 || fset_add(flow.set, flow.fd) != 0 || (flow.pollfd = fset_pollfd(flow.set)) < 0)
        fail("a flow that is used all the while: %d", flow.fd);
}

// In every way, at random.
static void expect_all_ways(const char *what) {
    ssize_t (*const writes[])(struct end *, size_t) = {write_one, write_in_pieces, write_in_place};
    ssize_t (*const reads[])(struct end *) = {read_one, read_in_pieces, read_in_place};
    for (int i = 0; i < 200; i++) {
        ssize_t result = writes[random_number() % 3](&flow, LITTLE);
        if (result != LITTLE)
            fail("%s: a write: %zd", what, result);
        if (random_number() % 2 && next_event(&flow, true) != FLOW_PKT)
            fail("%s: an event that cannot be", what);
        result = reads[random_number() % 3](&flow);
        if (result != LITTLE)
            fail("%s: a read: %zd", what, result);
    }
}

// A child dies with a place in its hands, and nobody has waited for it.
static void expect_place_back(const char *what) {
    void *place;
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(flow_reserve(flow.fd, &place, 10) == 10 ? 0 : 1);
    if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0 || info.si_status != 0)
        fail("%s: a child cannot reserve a place", what);
    expect_all_ways(what);
    waitpid(pid, NULL, 0);
}

// Those that need a descriptor say so.
static void lack_descriptors_of_sets(void) {
    struct timespec moment = {0, 50000000};
    fset_t *set = fset_create();
    fqueue_t *queue = fqueue_create();
    int result = fset_pollfd(set);
    if (result != -EMFILE)
        fail("fset_pollfd without descriptors: %d", result);
    result = (int)fevent(set, queue, &moment);
    if (result != -EMFILE)
        fail("fevent that would sleep, without descriptors: %d", result);
    fqueue_destroy(queue);
    fset_destroy(set);
}

// No descriptors of the kernel: an allocation needs some for a moment, a flow keeps none.
static void lack_descriptors(void) {
    struct rlimit before, limit;
    int taken[64], count = 0, result;
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = 48;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (;;) {
        while (count < 64 && (taken[count] = dup(0)) >= 0)
            count++;
        result = flow_alloc(NAME, NULL, NULL);
        if (result < 0)
            break;
        // It had its connections and its link already, and so needed one for a moment only.
        fail("a flow without any descriptor");
    }
    if (result != -EMFILE)
        fail("no descriptors: %d instead of -EMFILE", result);
    while (count < 64 && (taken[count] = dup(0)) >= 0)
        count++;
    lack_descriptors_of_sets();
    expect_all_ways("no descriptors");
    expect_place_back("no descriptors");
    // One after another is given back, until it works; whatever is said before then is a reason, not silence.
    while ((result = flow_alloc(NAME, NULL, NULL)) < 0 && count > 0) {
        if (result != -EMFILE && result != -EIRMD)
            fail("few descriptors: %d", result);
        close(taken[--count]);
    }
    if (result < 0)
        fail("with descriptors again: %d", result);
    flow_dealloc(result);
    while (count > 0)
        close(taken[--count]);
    setrlimit(RLIMIT_NOFILE, &before);
    empty("descriptors", 0);
}

// 300 flows with 48 descriptors: a flow costs none.
static void keep_descriptors(void) {
    struct rlimit before, limit;
    int open_before = descriptors_of(getpid());
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = 48;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 300; i++)
        if ((fds[i] = flow_alloc(NAME, NULL, NULL)) < 0)
            fail("flow %d with few descriptors: %d", i, fds[i]);
    if (descriptors_of(getpid()) > open_before + 4)
        fail("300 flows took %d descriptors", descriptors_of(getpid()) - open_before);
    setrlimit(RLIMIT_NOFILE, &before);
    empty("300 flows", 300);
}

// No address space: some dozens of flows, then -ENOMEM.
static void lack_memory(void) {
    struct rlimit before, limit;
    int count;
    getrlimit(RLIMIT_AS, &before);
    limit = before;
    limit.rlim_cur = (rlim_t)(status_kib(getpid(), "VmSize") + 300 * 1024) * 1024;
    setrlimit(RLIMIT_AS, &limit);
    int result = fill(&count);
    if (result != -ENOMEM)
        fail("no address space: %d instead of -ENOMEM after %d flows", result, count);
    expect_all_ways("no address space");
    setrlimit(RLIMIT_AS, &before);
    empty("address space", count);
}

static void lack_sets(void) {
    static fset_t *sets[1025];
    int count = 0;
    while (count < 1025 && (sets[count] = fset_create()))
        count++;
    // One is in use.
    if (count != 1023)
        fail("%d flow sets instead of 1023", count);
    expect_all_ways("no flow sets");
    fset_destroy(sets[512]);
    if (!(sets[512] = fset_create()))
        fail("a flow set that was given back cannot be had again");
    while (count > 0)
        fset_destroy(sets[--count]);
}

// All flows that there can be: our descriptors end, or the kernel's mappings. If it is the server that has no more, the
// allocation waits for one that has.
static void lack_everything(void) {
    int count, result = fill(&count);
    if (result != -EBADF && result != -ENOMEM && result != -EIPCP)
        fail("no more flows: %d after %d", result, count);
    printf("%d flows, then %d\n", count, result);
    expect_all_ways("all flows");
    empty("all flows", count);
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 300);
    bool is_sanitized = getenv("ENDURANCE_SANITIZED");
    struct honest honest, echo;
    pid_t server = start(serve, NULL);
    start_honest(&honest, "honest.exhaust.endurance");
    make_flow(&echo);
    empty("a flow", 0);
    struct holdings before = irmd_holdings();
    for (int round = 0; round < rounds; round += 10) {
        lack_descriptors();
        keep_descriptors();
        // A sanitizer maps more than all that is left.
        if (!is_sanitized)
            lack_memory();
        lack_sets();
        expect_honest_progress(&honest, 5);
    }
    if (rounds >= 100)
        lack_everything();
    expect_honest_progress(&honest, 5);
    expect_no_growth("exhaust", before, 8, rounds >= 100 ? 65536 : 2048);
    end_honest(&honest);
    end_child(echo.server);
    end_child(server);
    puts("ok");
    return 0;
}
