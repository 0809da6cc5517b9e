// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A peer that writes random bytes over everything it shares with a server, while honest clients use the same server. It
// reads and writes in every way, in one loop and in threads that wait, and holds messages and places for a while. The
// honest ones must lose nothing, and the server must not crash, hang or grow.
//
// usage: hostile ROUNDS SEED

#include "support.h"

#include <poll.h>
#include <pthread.h>
#include <sys/uio.h>

#define NAME "hostile.endurance"

enum { HONEST = 6, ROOM = 1 << 21 };

// Sends one message back, each time in another way. What came from an honest client comes back whole; what came from
// another is as it may be, but never more than was said first.
static ssize_t answer(int fd, uint8_t *buffer, unsigned turn) {
    struct iovec parts[3] = {{buffer, 9}, {NULL, 0}, {buffer + 9, ROOM - 9}};
    const void *message;
    void *place;
    ssize_t count;
    switch (turn % 3) {
    case 0: return (count = flow_read(fd, buffer, ROOM)) > 0 ? flow_write(fd, buffer, (size_t)count) : count;
    case 1:
        if ((count = flow_readv(fd, parts, 3)) <= 0)
            return count;
        parts[0].iov_len = (size_t)count < 9 ? (size_t)count : 9;
        parts[2].iov_len = (size_t)count - parts[0].iov_len;
        return flow_writev(fd, parts, 3);
    default:
        if ((count = flow_peek(fd, &message)) < 0)
            return count;
        ssize_t result = flow_reserve(fd, &place, (size_t)count);
        if (turn % 64 == 2)
            usleep(200);
        if (result >= 0) {
            memcpy(place, message, (size_t)count);
            result = flow_commit(fd, (size_t)count);
        }
        (void)flow_release(fd); // its flow may be down
        return result;
    }
}

static bool is_end(ssize_t result) { return result == -EFLOWDOWN || result == -EFLOWPEER; }

// A flow with a thread of its own, which sleeps in every call that can.
static void *serve_alone(void *argument) {
    int fd = (int)(intptr_t)argument;
    uint8_t *buffer = malloc(ROOM);
    ssize_t result = 0;
    for (unsigned turn = 0; buffer && !is_end(result); turn++)
        result = answer(fd, buffer, turn);
    flow_dealloc(fd);
    free(buffer);
    return NULL;
}

// The others are in one loop over a set: a hostile flow must not stop them.
static void serve(int ready, void *argument) {
    static uint8_t buffer[ROOM];
    fset_t *set = fset_create();
    fqueue_t *queue = fqueue_create();
    struct timespec none = {0, 0}, short_time = {0, 2000000};
    struct pollfd one = {fset_pollfd(set), POLLIN, 0};
    pthread_attr_t detached;
    pthread_t thread;
    unsigned flows = 0, turns = 0;
    (void)argument;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (one.fd < 0 || irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    for (;;) {
        int fd = flow_accept(NULL, &short_time);
        if (fd >= 0 && flows++ % 2) {
            if (pthread_create(&thread, &detached, serve_alone, (void *)(intptr_t)fd) != 0)
                fail("pthread_create");
        } else if (fd >= 0) {
            fccntl(fd, FLOWSFLAGS, (uint32_t)(FLOWFRDWR | FLOWFRNOBLOCK | FLOWFWNOBLOCK));
            if (fset_add(set, fd) < 0)
                fail("fset_add");
        } else if (fd != -ETIMEDOUT) {
            fail("flow_accept: %d", fd);
        }
        for (int turn = 0; turn < 64 && poll(&one, 1, 2) == 1; turn++)
            while (fevent(set, queue, &none) == 1)
                while ((fd = fqueue_next(queue)) >= 0)
                    if (is_end(answer(fd, buffer, turns++)) || fqueue_type(queue) == FLOW_DEALLOC)
                        flow_dealloc(fd);
    }
}

// How many answers each honest client has had.
static volatile uint64_t *answers;

static void be_honest(int ready, void *argument) {
    // A message that just fits would be followed by its end.
    uint64_t packet[16], reply[17], own = *(uint64_t *)argument;
    int fd = flow_alloc(NAME, NULL, NULL);
    if (fd < 0)
        fail("flow_alloc: %d", fd);
    say_ready(ready);
    for (uint64_t number = 0;; number++) {
        for (int i = 0; i < 16; i++)
            packet[i] = number * 31 + own * 1000003 + (uint64_t)i;
        ssize_t count = flow_write(fd, packet, sizeof packet);
        if (count != sizeof packet)
            fail("an honest client's write: %zd", count);
        count = flow_read(fd, reply, sizeof reply);
        if (count != sizeof packet || memcmp(packet, reply, sizeof packet) != 0)
            fail("an honest client's read: %zd", count);
        answers[own]++;
    }
}

// Its own end in place: messages that are cut, places that are given back, and memory that is written afterwards.
static void misuse(int fd) {
    const void *message;
    void *place;
    size_t count = random_number() % 3000;
    if (flow_reserve(fd, &place, count) >= 0) {
        memset(place, 1, count);
        (void)flow_commit(fd, random_number() % (count + 1));
        memset(place, 2, count);
    }
    if (flow_peek(fd, &message) >= 0)
        (void)flow_release(fd);
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
        if (random_number() % 64 == 0)
            misuse(fd);
    }
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 120);
    answers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answers == MAP_FAILED)
        fail("mmap");
    pid_t server = start(serve, NULL), honest[HONEST];
    for (uint64_t i = 0; i < HONEST; i++)
        honest[i] = start(be_honest, &i);
    long before = 0;
    for (int round = 0; round < rounds; round++) {
        uint64_t had[HONEST];
        memcpy(had, (const void *)answers, sizeof had);
        random_number();
        // One in the loop, one with a thread.
        pid_t first = start(be_hostile, NULL);
        random_number();
        pid_t second = start(be_hostile, NULL);
        usleep(50000 + (useconds_t)(random_number() % 100000));
        for (int i = 0; i < HONEST; i++)
            while (answers[i] == had[i])
                pause_briefly();
        end_child(first);
        end_child(second);
        if (waitpid(server, NULL, WNOHANG) != 0)
            fail("the server has died");
        for (int i = 0; i < HONEST; i++)
            if (waitpid(honest[i], NULL, WNOHANG) != 0)
                fail("an honest client has died");
        if (round == rounds / 2)
            before = status_kib(server, "RssAnon");
    }
    long after = status_kib(server, "RssAnon");
    printf("%d hostile peers; private memory of the server %ld KiB half-way, %ld KiB at the end\n", 2 * rounds, before,
           after);
    expect_little_growth("the server", before, after, 4096);
    for (int i = 0; i < HONEST; i++)
        end_child(honest[i]);
    end_child(server);
    puts("ok");
    return 0;
}
