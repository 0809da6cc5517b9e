/*
 * Ouroboros: what a server and a client of many flows do
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "hosts.h"
#include "workers.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>

/* Milliseconds of the peer timeout of the client's flows. */
#define WORK_TIMEOUT 5000

/* Milliseconds without an answer after which a message is sent again. */
#define PATIENCE 200

/* More than a message: what fills the buffer has its end in the next read. */
#define ROOM (LONGEST + 1)

/* How often; UDP loses messages where it finds no room. */
#define TRIES 100

static void begin(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(4 * WATCHDOG);
}

static void say_ready(void)
{
    if (write(WORKER_READY, "r", 1) != 1)
        _exit(1);
    close(WORKER_READY);
}

static void complain(const char * text,
                     ...) PRINTF_LIKE(1, 2);

static void complain(const char * text,
                     ...)
{
    va_list arguments;

    va_start(arguments, text);
    printf("# worker: ");
    vprintf(text, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    _exit(1);
}

/* Server. */

static fset_t * set;

static void * accept_all(void * argument)
{
    int fd;

    (void) argument;
    while ((fd = flow_accept(NULL, NULL)) >= 0)
        if (fccntl(fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFRNOBLOCK) != 0
            || fset_add(set, fd) != 0)
            complain("a flow cannot be served");

    complain("flow_accept: %d", fd);
    return NULL;
}

static void echo(int fd)
{
    static uint8_t buffer[ROOM];
    ssize_t        count = flow_read(fd, buffer, sizeof(buffer));

    if (count > 0)
        flow_write(fd, buffer, (size_t) count);
}

static void * echo_all(void * argument)
{
    fqueue_t * queue = fqueue_create();
    int        fd;

    (void) argument;
    while (fevent(set, queue, NULL) == 1)
        while ((fd = fqueue_next(queue)) >= 0) {
            if (fqueue_type(queue) == FLOW_PKT)
                echo(fd);
            else
                flow_dealloc(fd);
        }

    complain("fevent failed");
    return NULL;
}

int serve(const char * name)
{
    pthread_t threads[2];
    char      byte;

    begin();
    set = fset_create();
    if (set == NULL || irm_bind_process(getpid(), name) != 0
        || pthread_create(&threads[0], NULL, accept_all, NULL) != 0
        || pthread_create(&threads[1], NULL, echo_all, NULL) != 0)
        return 1;

    say_ready();
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    /* Not through the library's end, at which a thread would be told. */
    _exit(0);
}

/* Client. */

static const char * name;
static struct work  work;
static long         repeated;

static bool goes_on(void)
{
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };

    return poll(&input, 1, 0) == 0;
}

static int allocate(void)
{
    qosspec_t       qos = raw_with_timeout(WORK_TIMEOUT);
    struct timespec patience = { 0, PATIENCE * 1000000L };
    int             fd = flow_alloc(name, &qos, NULL);

    if (fd < 0)
        complain("flow_alloc(%s): %d", name, fd);
    fccntl(fd, FLOWSRCVTIMEO, &patience);
    return fd;
}

/* The answer to what was sent before may come late; it is an older seed's. */
static bool is_answered(int       fd,
                        uint8_t * buffer,
                        size_t    count,
                        unsigned  seed)
{
    uint32_t first;
    ssize_t  got;

    for (;;) {
        got = flow_read(fd, buffer, ROOM);
        if (got == -ETIMEDOUT)
            return false;
        if (got < (ssize_t) sizeof(first))
            complain("flow_read: %zd", got);
        memcpy(&first, buffer, sizeof(first));
        if (first == seed)
            break;
        if (first >> 16 != seed >> 16)
            complain("message %u came on the flow of %u", first, seed);
    }

    if (got != (ssize_t) count
        || !holds(buffer + sizeof(first), count - sizeof(first), 0, seed))
        complain("message %u came changed: %zd bytes of %zu", seed, got, count);
    return true;
}

static void exchange(int       fd,
                     uint8_t * buffer,
                     unsigned  seed)
{
    uint32_t first = seed;
    size_t   count = sizeof(first)
                   + (seed * 2654435761u >> 8)
                   % ((size_t) work.longest - sizeof(first) + 1);
    int      tries;

    for (tries = 0; tries < TRIES; tries++) {
        ssize_t written;

        memcpy(buffer, &first, sizeof(first));
        fill(buffer + sizeof(first), count - sizeof(first), seed);
        written = flow_write(fd, buffer, count);
        if (written != (ssize_t) count)
            complain("flow_write: %zd", written);
        if (is_answered(fd, buffer, count, seed))
            return;
        __sync_fetch_and_add(&repeated, 1);
    }
    complain("message %u was not answered", seed);
}

/* Of a seed the upper half says which flow it is. */
static void * use_flows(void * argument)
{
    unsigned  number = *(const unsigned *) argument;
    int *     fds = calloc((size_t) work.flows, sizeof(*fds));
    uint8_t * buffer = malloc(ROOM);
    int       round;
    int       message;
    int       i;

    for (round = 0; round < work.rounds; round++) {
        for (i = 0; i < work.flows; i++)
            fds[i] = allocate();
        for (message = 0; work.messages > 0 ? message < work.messages
                                            : goes_on(); message++)
            for (i = 0; i < work.flows; i++)
                exchange(fds[i], buffer,
                         (number * (unsigned) work.flows + (unsigned) i) << 16
                         | ((unsigned) message & 0xFFFF));
        for (i = 0; i < work.flows; i++)
            if (flow_dealloc(fds[i]) != 0)
                complain("flow_dealloc");
    }

    free(fds);
    free(buffer);
    return NULL;
}

int be_client(char ** arguments)
{
    pthread_t threads[64];
    unsigned  numbers[64];
    int       i;

    begin();
    name = arguments[0];
    work.threads = atoi(arguments[1]);
    work.flows = atoi(arguments[2]);
    work.messages = atoi(arguments[3]);
    work.rounds = atoi(arguments[4]);
    work.longest = atoi(arguments[5]);
    say_ready();

    for (i = 0; i < work.threads; i++) {
        numbers[i] = (unsigned) i;
        if (pthread_create(&threads[i], NULL, use_flows, &numbers[i]) != 0)
            complain("no thread");
    }
    for (i = 0; i < work.threads; i++)
        pthread_join(threads[i], NULL);

    if (repeated > 0)
        printf("# %ld messages had to be sent again\n", repeated);
    fflush(stdout);
    return 0;
}
