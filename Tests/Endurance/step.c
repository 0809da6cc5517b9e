// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kills a process after each instruction of a call, on a flow that it shares with its parent. The parent goes on: the
// call was made or it was not, nothing else is lost, doubled or torn, and nobody sleeps for ever.
//
// usage: step ROUNDS SEED        from 100 rounds on after each instruction, else after some

#include "support.h"

#include <sys/ptrace.h>
#include <sys/uio.h>

#define NAME "step.endurance"

// Records of 64 bytes fill a flow with so many messages.
enum { BYTES = 56, FULL = 16384 };

// What the process is killed in. LAP: the ring is left early; CROWDED: the other end waits for room; OTHER: the survivor
// goes on with another flow.
enum operation {
    WRITE, WRITEV, RESERVE, COMMIT, LAP_WRITE, OTHER_WRITE, READ, READV, READ_PART, PEEK, RELEASE, LAP_READ,
    CROWDED_READ, CROWDED_RELEASE, OPERATIONS
};

static const char *const operation_names[OPERATIONS] = {
    "flow_write", "flow_writev", "flow_reserve", "flow_commit", "flow_write in a new lap", "flow_write, another flow",
    "flow_read", "flow_readv", "flow_read in parts", "flow_peek", "flow_release", "flow_read in a new lap",
    "flow_read that makes room", "flow_release that makes room"};

static void fill(uint8_t *message, uint64_t number) {
    memset(message, (int)(number * 37 % 251), BYTES);
    memcpy(message, &number, sizeof number);
}

static uint64_t number_of(const uint8_t *message, ssize_t count) {
    uint8_t right[BYTES];
    uint64_t number;
    if (count != BYTES)
        fail("a message of %zd bytes", count);
    memcpy(&number, message, sizeof number);
    fill(right, number);
    if (memcmp(message, right, BYTES) != 0)
        fail("a message is torn");
    return number;
}

// Sends everything back. Waits in a read of the first flow, or for events of both.
static void serve(int ready, void *argument) {
    bool waits = *(bool *)argument;
    uint8_t message[BYTES + 1];
    fset_t *set = fset_create();
    fqueue_t *queue = fqueue_create();
    if (irm_bind_process(getpid(), NAME) < 0)
        fail("bind");
    say_ready(ready);
    int fd = flow_accept(NULL, NULL), other = flow_accept(NULL, NULL);
    if (fd < 0 || other < 0 || (waits && (fset_add(set, fd) != 0 || fset_add(set, other) != 0)))
        fail("flow_accept: %d, %d", fd, other);
    for (;;) {
        while (waits && (fd = fqueue_next(queue)) < 0)
            if (fevent(set, queue, NULL) != 1)
                fail("fevent");
        ssize_t count = flow_read(fd, message, sizeof message);
        if (count == -EFLOWDOWN)
            break;
        (void)number_of(message, count);
        if (flow_write(fd, message, BYTES) != BYTES)
            fail("the answer");
    }
}

static void operate(int fd, enum operation operation, uint64_t number) {
    // Room for one byte more: what just fits is followed by its end.
    uint8_t bytes[BYTES + 1];
    struct iovec parts[2] = {{bytes, 20}, {bytes + 20, BYTES - 20}}, wider[2] = {{bytes, 20}, {bytes + 20, BYTES - 19}};
    void *place;
    const void *message;
    fill(bytes, number);
    switch (operation) {
    case WRITE:
    case OTHER_WRITE:
    case LAP_WRITE: flow_write(fd, bytes, BYTES); break;
    case WRITEV: flow_writev(fd, parts, 2); break;
    case RESERVE: flow_reserve(fd, &place, BYTES); break;
    case COMMIT: flow_commit(fd, BYTES); break;
    case READ:
    case LAP_READ:
    case CROWDED_READ: flow_read(fd, bytes, BYTES + 1); break;
    case READV: flow_readv(fd, wider, 2); break;
    case READ_PART: flow_read(fd, bytes, 20); break;
    case PEEK: flow_peek(fd, &message); break;
    case RELEASE:
    case CROWDED_RELEASE: flow_release(fd); break;
    case OPERATIONS: break;
    }
}

// What comes before the call, and need not be looked at.
static void prepare(int fd, enum operation operation, uint64_t number) {
    void *place;
    const void *message;
    size_t count;
    fccntl(fd, FLOWGRXQLEN, &count);
    fccntl(fd, FLOWGTXQLEN, &count);
    if (operation == COMMIT && flow_reserve(fd, &place, BYTES) == BYTES)
        fill(place, number);
    if (operation == RELEASE || operation == CROWDED_RELEASE)
        flow_peek(fd, &message);
}

static void be_victim(int fd, enum operation operation, uint64_t number) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prepare(fd, operation, number);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    operate(fd, operation, number);
    raise(SIGSTOP);
    _exit(0);
}

// Lets a child do so many steps of the operation, and kills it. False if it was done before.
static bool kill_after(long steps, int fd, enum operation operation, uint64_t number) {
    static pid_t victim = -1;
    int status = 0;
    // The last one, of whom nobody had taken notice.
    if (victim > 0)
        waitpid(victim, NULL, 0);
    victim = fork();
    if (victim == 0)
        be_victim(fd, operation, number);
    waitpid(victim, &status, 0);
    bool is_done = false;
    for (; steps > 0 && !is_done; steps--) {
        if (!WIFSTOPPED(status) || ptrace(PTRACE_SINGLESTEP, victim, NULL, NULL) < 0)
            fail("the victim cannot be stepped: 0x%x", status);
        waitpid(victim, &status, 0);
        is_done = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
    }
    kill(victim, SIGKILL);
    // One that nobody has waited for is dead all the same.
    siginfo_t info;
    waitid(P_PID, (id_t)victim, &info, WEXITED | WNOWAIT);
    return !is_done;
}

static size_t queued(int fd, int which) {
    size_t count = 0;
    if (fccntl(fd, which, &count) != 0)
        fail("a queue's length");
    return count;
}

// Until the server's thread sleeps.
static void await_sleep(pid_t pid) {
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    while (state != 'S') {
        FILE *stat = fopen(path, "r");
        if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
            fail("the server has no state");
        fclose(stat);
    }
}

static uint64_t next_number;

// Records of this lap, if none is unread: the one that would end the page begins the next lap.
static int lap;

static void count_record(void) { lap = lap == 63 ? 1 : lap + 1; }

static void send_next(int fd) {
    uint8_t message[BYTES];
    count_record();
    fill(message, next_number++);
    ssize_t count = flow_write(fd, message, BYTES);
    if (count != BYTES)
        fail("the survivor's write: %zd", count);
}

static uint64_t receive(int fd) {
    uint8_t message[BYTES + 1];
    ssize_t count = flow_read(fd, message, sizeof message);
    // The rest of what the dead one read in part.
    if (count == BYTES - 20)
        return 0;
    return number_of(message, count);
}

static void expect_empty(int fd) {
    if (queued(fd, FLOWGRXQLEN) != 0 || queued(fd, FLOWGTXQLEN) != 0)
        fail("%zu arrived and %zu departed in empty queues", queued(fd, FLOWGRXQLEN), queued(fd, FLOWGTXQLEN));
}

// `first` or the one after it, whether the victim has read `first` or not, sent it or not; then everything to the end.
// Returns the first.
static uint64_t expect_rest(int fd, uint64_t first) {
    uint64_t number = receive(fd), next;
    if (number != 0 && number != first && number != first + 1)
        fail("%llu comes instead of %llu", (unsigned long long)number, (unsigned long long)first);
    for (next = number == 0 ? first + 1 : number + 1; next < next_number; next++)
        if (receive(fd) != next)
            fail("%llu does not come", (unsigned long long)next);
    expect_empty(fd);
    return number;
}

// One position of one operation. False if the operation has no such.
static bool try_once(int fd, int other, pid_t server, enum operation operation, long steps) {
    uint64_t first = next_number;
    if (operation == LAP_WRITE || operation == LAP_READ)
        for (; lap != 63; first++) {
            send_next(fd);
            if (receive(fd) != first)
                fail("a message is lost");
        }
    if (operation >= CROWDED_READ) {
        for (int i = 0; i < FULL + 8; i++)
            send_next(fd);
        while (queued(fd, FLOWGRXQLEN) < FULL)
            pause_briefly();
        for (int i = 0; i < FULL / 2 - 1; i++)
            if (receive(fd) != first++)
                fail("a message is lost");
    } else if (operation >= READ) {
        send_next(fd);
        while (queued(fd, FLOWGRXQLEN) == 0)
            pause_briefly();
    } else {
        next_number++;
    }
    await_sleep(server);
    bool is_within = kill_after(steps, fd, operation, first);
    if (getenv("STEP_TRACE"))
        fprintf(stderr, "%s %ld %d\n", operation_names[operation], steps, is_within);
    if (operation == OTHER_WRITE) {
        uint8_t message[BYTES + 1];
        fill(message, 1);
        if (flow_write(other, message, BYTES) != BYTES || number_of(message, flow_read(other, message, BYTES + 1)) != 1)
            fail("another flow");
    }
    // Of those who wait for room nobody is told by what the survivor writes.
    if (operation < CROWDED_READ)
        send_next(fd);
    bool is_there = expect_rest(fd, first) == first;
    if (is_there && operation < READ)
        count_record();
    return is_within;
}

static long length_of(int fd, int other, pid_t server, enum operation operation) {
    long low = 0, high = 256;
    for (; try_once(fd, other, server, operation, high); high *= 2)
        low = high;
    while (high - low > 1) {
        long middle = low + (high - low) / 2;
        if (try_once(fd, other, server, operation, middle))
            low = middle;
        else
            high = middle;
    }
    return high;
}

static long check(enum operation operation, bool waits, int rounds) {
    // A sanitizer makes each call ten times as long.
    bool is_sanitized = getenv("ENDURANCE_SANITIZED"), all = rounds >= 100 && !is_sanitized;
    pid_t server = start(serve, &waits);
    int fd = flow_alloc(NAME, NULL, NULL), other = flow_alloc(NAME, NULL, NULL);
    if (fd < 0 || other < 0)
        fail("flow_alloc: %d, %d", fd, other);
    next_number = 1;
    lap = 0;
    // The dynamic linker finds the function now, and not step by step.
    operate(-1, operation, 0);
    long tried = 0, length = length_of(fd, other, server, operation);
    for (long i = 0; i < (all ? length : is_sanitized ? rounds / 4 : rounds); i++, tried++)
        (void)try_once(fd, other, server, operation, all ? i : (long)(random_number() % (uint64_t)length));
    flow_dealloc(fd);
    flow_dealloc(other);
    expect_success(server, "the server");
    printf("%s: %ld instructions, %ld deaths\n", operation_names[operation], length, tried);
    fflush(stdout);
    return tried;
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 300);
    long tried = 0;
    for (int operation = 0; operation < OPERATIONS; operation++)
        for (int waits = operation == OTHER_WRITE; waits < 2; waits++)
            tried += check((enum operation)operation, waits, rounds);
    printf("%ld deaths\nok\n", tried);
    return 0;
}
