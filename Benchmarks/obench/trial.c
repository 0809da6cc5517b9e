// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#define _GNU_SOURCE
#include "trial.h"
#include "clock.h"
#include "conductor.h"
#include "message.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// No process keeps the conductor waiting longer: to get ready, and to end. Ten thousand flows take their time on a busy
// machine.
#define PATIENCE_NANOSECONDS 600000000000u

_Atomic uint32_t *phase_word;

// Of the process that runs, if it is one of a trial.
static struct {
    const char *what, *role;
    int number;
    int ready, start;
} self;

struct crew {
    int count;
    struct {
        pid_t pid;
        int ready; // a byte each time it says so, the end when it has ended
    } members[1 + MAX_CLIENTS];
};

void *shared_memory(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        conductor_fail("no shared memory: %s", strerror(errno));
    return memory;
}

void shared_memory_free(void *memory, size_t bytes) { munmap(memory, bytes); }

void say_ready(void) {
    if (write(self.ready, "r", 1) != 1)
        _exit(1);
}

void await_start(void) {
    char nothing;
    say_ready();
    // The conductor closes its side.
    while (read(self.start, &nothing, 1) < 0 && errno == EINTR) {
    }
}

int client_number(void) { return self.number; }

void fail(const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    progress_clear();
    fprintf(stderr, "obench: %s, %s: %s\n", self.what, self.role, text);
    _exit(1);
}

void expect(const char *call, long result) {
    if (result < 0)
        fail("%s: %ld", call, result);
}

void *message_buffer(size_t size) {
    void *buffer = aligned_alloc(4096, (size + SLACK + 4095) & ~(size_t)4095);
    if (!buffer)
        fail("no memory for a message");
    memset(buffer, 1, size);
    return buffer;
}

static void hire(struct crew *crew, const struct trial *trial, enum side side, int number, const int start[2]) {
    int ready[2];
    pid_t conductor = getpid();
    if (pipe2(ready, O_CLOEXEC) < 0)
        conductor_fail("pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        conductor_fail("fork: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != conductor)
            _exit(1);
        conductor_forget_signals();
        close(ready[0]);
        close(start[1]);
        self.what = trial->what;
        self.role = side == SERVER ? "server" : "client";
        self.number = number;
        self.ready = ready[1];
        self.start = start[0];
        take_place(trial->place, side);
        (side == SERVER ? trial->server : trial->client)(trial->subject);
        _exit(0);
    }
    close(ready[1]);
    crew->members[crew->count].pid = pid;
    crew->members[crew->count++].ready = ready[0];
}

// Waits for a member's next word. Returns 1 for a byte, 0 for the end, negative if neither came.
static int await_word(struct crew *crew, int member) {
    int file = crew->members[member].ready;
    char byte;
    return conductor_wait(file, nanoseconds_now() + PATIENCE_NANOSECONDS) > 0 ? (int)read(file, &byte, 1) : -1;
}

static bool gather(struct crew *crew, const struct trial *trial, const int start[2]) {
    int servers = trial->server ? 1 : 0;
    if (servers) {
        hire(crew, trial, SERVER, 0, start);
        if (await_word(crew, 0) != 1)
            return false;
    }
    for (int i = 0; i < trial->clients; i++)
        hire(crew, trial, CLIENT, i, start);
    for (int i = servers; i < crew->count; i++)
        if (await_word(crew, i) != 1)
            return false;
    return !servers || await_word(crew, 0) == 1;
}

static void sleep_seconds(double seconds) { conductor_wait(-1, nanoseconds_now() + (uint64_t)(seconds * 1e9)); }

static double processor_seconds(const struct crew *crew) {
    double sum = 0;
    for (int i = 0; i < crew->count; i++) {
        clockid_t clock;
        struct timespec time;
        if (clock_getcpuclockid(crew->members[i].pid, &clock) == 0 && clock_gettime(clock, &time) == 0)
            sum += (double)time.tv_sec + (double)time.tv_nsec / 1e9;
    }
    return sum;
}

static void give_sign(const struct trial *trial, const struct crew *crew, enum phase phase) {
    if (trial->look)
        trial->look(trial->subject, phase, processor_seconds(crew));
    atomic_store(phase_word, phase);
}

static void conduct(const struct trial *trial, const struct crew *crew) {
    if (trial->seconds <= 0)
        return;
    sleep_seconds(trial->seconds / 4);
    give_sign(trial, crew, MEASURING);
    sleep_seconds(trial->seconds);
    give_sign(trial, crew, STOPPING);
}

// Whether all ended as they should. Nobody is left.
static bool dismiss(struct crew *crew, bool has_started) {
    bool is_good = has_started;
    for (int i = 0; is_good && i < crew->count; i++)
        is_good = await_word(crew, i) == 0;
    for (int i = 0; i < crew->count; i++) {
        int status = 0;
        if (!is_good)
            kill(crew->members[i].pid, SIGKILL);
        while (waitpid(crew->members[i].pid, &status, 0) < 0 && errno == EINTR) {
        }
        is_good = is_good && status == 0;
        close(crew->members[i].ready);
    }
    return is_good;
}

bool trial_run(const struct trial *trial) {
    struct crew crew = {0};
    int start[2];
    if (pipe2(start, O_CLOEXEC) < 0)
        conductor_fail("pipe: %s", strerror(errno));
    fflush(NULL);
    atomic_store(phase_word, OPENING);
    bool is_ready = gather(&crew, trial, start);
    atomic_store(phase_word, WARMING);
    close(start[1]);
    close(start[0]);
    if (is_ready)
        conduct(trial, &crew);
    bool is_good = dismiss(&crew, is_ready);
    conductor_end_if_interrupted();
    if (!is_good)
        conductor_note_failure(trial->what);
    return is_good;
}
