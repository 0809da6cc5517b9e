// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kills a forked child at a random moment while it writes and reads, in every way, on a flow that its parent uses as
// well. The parent goes on: it loses nothing, and at most the message is gone that the child had in its hands.
//
// usage: sibling ROUNDS SEED

#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <sys/uio.h>

#define NAME "sibling.endurance"

struct message {
    uint64_t writer, number, fill[30];
};

static struct message make(uint64_t writer, uint64_t number) {
    struct message message = {writer, number, {0}};
    for (int i = 0; i < 30; i++)
        message.fill[i] = writer * 1000003 + number * 31 + (uint64_t)i;
    return message;
}

static void check(const struct message *message, ssize_t count) {
    struct message right = make(message->writer, message->number);
    if (count != sizeof right || memcmp(message, &right, sizeof right) != 0)
        fail("a message of %zd bytes is torn", count);
}

// The server writes without end, and another thread of it looks at what comes: each writer's messages in order.
static void *write_without_end(void *argument) {
    for (uint64_t number = 0;; number++) {
        struct message message = make(0, number);
        ssize_t count = flow_write(*(int *)argument, &message, sizeof message);
        if (count < 0)
            return NULL;
    }
}

static void serve(int ready, void *argument) {
    static uint64_t next[1 << 16];
    struct message message, more[2];
    pthread_t thread;
    (void)argument;
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    int fd = flow_accept(NULL, NULL);
    ssize_t count;
    if (fd < 0 || pthread_create(&thread, NULL, write_without_end, &fd) != 0)
        fail("flow_accept: %d", fd);
    while ((count = flow_read(fd, more, sizeof more)) != -EFLOWDOWN) {
        message = more[0];
        check(&message, count);
        if (message.writer >= 1 << 16 || message.number != next[message.writer]++)
            fail("%llu of writer %llu is out of order", (unsigned long long)message.number,
                 (unsigned long long)message.writer);
    }
    pthread_join(thread, NULL);
    flow_dealloc(fd);
}

// What a process has read, for others to see: how many, and the last.
struct readings {
    volatile uint64_t count, last;
};

static ssize_t write_somehow(int fd, const struct message *message) {
    struct iovec parts[2] = {{(void *)message, 8}, {(uint8_t *)message + 8, sizeof *message - 8}};
    void *place;
    ssize_t result;
    switch (random_number() % 3) {
    case 0: return flow_write(fd, message, sizeof *message);
    case 1: return flow_writev(fd, parts, 2);
    default:
        if ((result = flow_reserve(fd, &place, sizeof *message)) < 0)
            return result;
        memcpy(place, message, sizeof *message);
        return flow_commit(fd, sizeof *message);
    }
}

static ssize_t read_somehow(int fd, struct message *message) {
    struct message more[2];
    struct iovec parts[2] = {{more, 8}, {(uint8_t *)more + 8, sizeof more - 8}};
    const void *place;
    ssize_t result;
    switch (random_number() % 3) {
    case 0: result = flow_read(fd, more, sizeof more); break;
    case 1: result = flow_readv(fd, parts, 2); break;
    default:
        if ((result = flow_peek(fd, &place)) < 0)
            return result;
        memcpy(more, place, sizeof *message);
        if (flow_release(fd) != 0)
            fail("flow_release");
    }
    *message = more[0];
    return result;
}

// One message each way. While the other process holds a place or a message it is busy.
static void turn(int fd, uint64_t writer, uint64_t number, struct readings *readings) {
    struct message message = make(writer, number);
    ssize_t result;
    while ((result = write_somehow(fd, &message)) == -EBUSY)
        sched_yield();
    if (result != sizeof message)
        fail("a write: %zd", result);
    while ((result = read_somehow(fd, &message)) == -EBUSY)
        sched_yield();
    check(&message, result);
    if (readings->count > 0 && message.number <= readings->last)
        fail("%llu is read after %llu", (unsigned long long)message.number, (unsigned long long)readings->last);
    readings->last = message.number;
    readings->count++;
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 60);
    uint64_t number = 0, lost = 0;
    struct readings *readings =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *own = readings, *child = readings + 1;
    pid_t server = start(serve, NULL);
    int fd = flow_alloc(NAME, NULL, NULL);
    if (fd < 0 || readings == MAP_FAILED)
        fail("flow_alloc: %d", fd);
    turn(fd, 1, number++, own);
    for (int round = 0; round < rounds; round++) {
        uint64_t first = own->last, before = own->count;
        *child = (struct readings){0, first};
        random_number();
        pid_t pid = fork();
        if (pid == 0)
            for (uint64_t i = 0;; i++)
                turn(fd, 2 + (uint64_t)round, i, child);
        uint64_t end = now_ns() + random_number() % 20000000;
        while (now_ns() < end)
            turn(fd, 1, number++, own);
        kill(pid, SIGKILL);
        // Some are waited for at once, some only when the parent has gone on.
        bool at_once = random_number() % 2;
        siginfo_t info;
        waitid(P_PID, (id_t)pid, &info, at_once ? WEXITED : WEXITED | WNOWAIT);
        for (int i = 0; i < 100; i++)
            turn(fd, 1, number++, own);
        if (!at_once)
            waitpid(pid, NULL, 0);
        uint64_t gone = own->last - first - (own->count - before) - child->count;
        if (gone > 1)
            fail("%lld messages are lost", (long long)gone);
        lost += gone;
    }
    printf("%d children killed, %llu messages of the parent, %llu were in the hands of one who died\n", rounds,
           (unsigned long long)number, (unsigned long long)lost);
    flow_dealloc(fd);
    expect_success(server, "the server");
    puts("ok");
    return 0;
}
