// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A peer that writes random bytes over everything it shares with a server, while an honest client uses the same
// server. The honest one must lose nothing, and the server must not crash, hang or grow.
//
// usage: hostile ROUNDS SEED

#include "support.h"

#define NAME "hostile.endurance"


// One loop over a set: a hostile flow must not stop the others.
static void serve(int ready, void *argument) {
    static uint8_t packet[1 << 21];
    fset_t *set = fset_create();
    fqueue_t *queue = fqueue_create();
    struct timespec short_time = {0, 2000000};
    (void)argument;
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    for (;;) {
        int fd = flow_accept(NULL, &short_time);
        if (fd >= 0) {
            fccntl(fd, FLOWSFLAGS, (uint32_t)(FLOWFRDWR | FLOWFRNOBLOCK | FLOWFWNOBLOCK));
            if (fset_add(set, fd) < 0)
                fail("fset_add");
        } else if (fd != -ETIMEDOUT) {
            fail("flow_accept: %d", fd);
        }
        for (int turn = 0; turn < 64 && fevent(set, queue, &short_time) == 1; turn++)
            while ((fd = fqueue_next(queue)) >= 0) {
                ssize_t count = flow_read(fd, packet, sizeof packet);
                if (count > 0)
                    count = flow_write(fd, packet, (size_t)count);
                if (count == -EFLOWDOWN || count == -EFLOWPEER || fqueue_type(queue) == FLOW_DEALLOC) {
                    flow_dealloc(fd);
                }
            }
    }
}

static void be_honest(int ready, void *argument) {
    uint64_t packet[16], answer[17]; // a message that just fits would be followed by its end marker
    (void)argument;
    int fd = flow_alloc(NAME, NULL, NULL);
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    say_ready(ready);
    for (uint64_t number = 0;; number++) {
        for (int i = 0; i < 16; i++)
            packet[i] = number * 31 + (uint64_t)i;
        ssize_t count = flow_write(fd, packet, sizeof packet);
        if (count != sizeof packet)
            fail("the honest client's write: %zd", count);
        count = flow_read(fd, answer, sizeof answer);
        if (count != sizeof packet || memcmp(packet, answer, sizeof packet) != 0)
            fail("the honest client's read: %zd", count);
    }
}

// Scribbles over all memory that is shared with the server.
static void be_hostile(int ready, void *argument) {
    (void)argument;
    int fd = flow_alloc(NAME, NULL, NULL);
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    say_ready(ready);
    struct area {
        uint8_t *base;
        size_t size;
    } areas[16];
    int count = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && count < 16 && fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (strstr(line, "memfd:ouroboros") && sscanf(line, "%lx-%lx", &from, &to) == 2)
            areas[count++] = (struct area){(uint8_t *)from, to - from};
    }
    if (count < 2)
        fail("found %d shared areas", count);
    fccntl(fd, FLOWSFLAGS, (uint32_t)(FLOWFRDWR | FLOWFWNOBLOCK | FLOWFRNOBLOCK));
    uint8_t packet[3000] = {0};
    for (;;) {
        struct area area = areas[random_number() % (uint64_t)count];
        // Mostly where the words are: the beginning and the slots; sometimes anywhere.
        size_t reach = random_number() % 4 ? 65536 : area.size;
        size_t offset = random_number() % (reach - 8) & ~(size_t)(random_number() % 2 ? 7 : 0);
        uint64_t value = random_number() >> (random_number() % 64);
        memcpy(area.base + offset, &value, 1 + random_number() % 8);
        if (random_number() % 16 == 0)
            (void)flow_write(fd, packet, random_number() % sizeof packet);
        if (random_number() % 16 == 0)
            (void)flow_read(fd, packet, sizeof packet);
    }
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 20;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : now_ns();
    printf("seed %llu\n", (unsigned long long)random_state);
    if (random_state == 0)
        random_state = 1;
    setpgid(0, 0);
    alarm(120 + (unsigned)rounds * 2);
    pid_t server = start(serve, NULL);
    pid_t honest = start(be_honest, NULL);
    long before = 0;
    for (int round = 0; round < rounds; round++) {
        random_number();
        pid_t hostile = start(be_hostile, NULL);
        usleep(50000 + (useconds_t)(random_number() % 100000));
        kill(hostile, SIGKILL);
        waitpid(hostile, NULL, 0);
        if (waitpid(server, NULL, WNOHANG) != 0)
            fail("the server has died");
        if (waitpid(honest, NULL, WNOHANG) != 0)
            fail("the honest client has died");
        if (round == rounds / 2)
            before = status_kib(server, "RssAnon");
    }
    long after = status_kib(server, "RssAnon");
    printf("%d hostile peers; private memory of the server %ld KiB half-way, %ld KiB at the end\n", rounds, before, after);
    expect_little_growth("the server", before, after, 4096);
    kill(honest, SIGKILL);
    kill(server, SIGKILL);
    waitpid(honest, NULL, 0);
    waitpid(server, NULL, 0);
    puts("ok");
    return 0;
}
