/*
 * An echo server with one thread and one loop: epoll over the acceptor, a set
 * of all flows, a timer and standard input.
 *
 *     cc event-server.c -o event-server \
 *         $(pkg-config --cflags --libs ouroboros-dev ouroboros-irm)
 *     ./event-server NAME
 *
 * Reads commands, one a line: "pause" (accept nothing), "resume", "quit"; any
 * other tells what there is to tell.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/facceptor.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/irm.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum source {
    ACCEPTOR,
    FLOWS,
    TIMER,
    INPUT
};

struct server {
    const char *  name;
    int           epoll;
    facceptor_t * acceptor;
    fset_t *      set;
    fqueue_t *    events;
    int           timer;
    bool          is_bound;
    bool          is_paused;
    bool          is_over;
    unsigned      flows;
    unsigned long messages; /* Echoed so far.                        */
    unsigned long told;     /* Of those, when the timer last looked. */
};

static bool watch(struct server * server,
                  int             fd,
                  enum source     source)
{
    struct epoll_event event = { .events = EPOLLIN };

    event.data.u32 = source;
    return fd >= 0 && epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* As long as this process lives, and irmd does. */
static void bind_name(struct server * server)
{
    server->is_bound = irm_bind_process(getpid(), server->name) == 0;
    if (server->is_bound)
        printf("Serving %s.\n", server->name);
}

/* A flow that cannot be in the set would never be heard of again. */
static void keep(struct server * server,
                 int             fd)
{
    uint32_t flags = FLOWFRDWR | FLOWFRNOBLOCK | FLOWFWNOBLOCK | FLOWFRNOPART;

    if (fccntl(fd, FLOWSFLAGS, flags) < 0 || fset_add(server->set, fd) < 0)
        flow_dealloc(fd);
    else
        server->flows++;
}

static void accept_flows(struct server * server)
{
    int fd;

    while ((fd = facceptor_take(server->acceptor, NULL)) != -EAGAIN)
        if (fd >= 0) {
            keep(server, fd);
        } else {
            printf("No flow: %s.\n", flow_last_error());
            /* The next irmd does not know the name yet; the timer tells it. */
            if (fd == -EIRMD)
                server->is_bound = false;
        }
}

static void echo(struct server * server,
                 int             fd)
{
    static char message[65536];
    ssize_t     length = flow_read(fd, message, sizeof(message));

    /* A client that does not read loses its answers, and delays nobody. */
    if (length > 0 && flow_write(fd, message, (size_t) length) == length)
        server->messages++;
}

static void serve_flows(struct server * server)
{
    static const struct timespec zero = { 0, 0 };
    int                          fd;

    while (fevent(server->set, server->events, &zero) == 1)
        while ((fd = fqueue_next(server->events)) >= 0)
            switch (fqueue_type(server->events)) {
            case FLOW_PKT:
                echo(server, fd);
                break;
            case FLOW_DEALLOC:
            case FLOW_PEER:
                flow_dealloc(fd);
                server->flows--;
                break;
            default:
                break;
            }
}

static void tell(const struct server * server)
{
    printf("%u flows, %lu messages%s.\n", server->flows, server->messages,
           server->is_paused ? ", paused" : "");
}

/* Once a second. */
static void tick(struct server * server)
{
    uint64_t times;

    if (read(server->timer, &times, sizeof(times)) < 0)
        return;
    if (!server->is_bound)
        bind_name(server);
    if (server->messages != server->told)
        tell(server);
    server->told = server->messages;
}

static void obey(struct server * server,
                 const char *    command)
{
    if (strcmp(command, "quit") == 0) {
        server->is_over = true;
    } else if (strcmp(command, "pause") == 0) {
        server->is_paused = true;
        facceptor_pause(server->acceptor);
    } else if (strcmp(command, "resume") == 0) {
        server->is_paused = false;
        accept_flows(server);
    }
    tell(server);
}

/* What a terminal or a pipe delivers at a time is whole lines. */
static void read_commands(struct server * server)
{
    char    text[256];
    ssize_t length = read(STDIN_FILENO, text, sizeof(text) - 1);
    char *  command;

    text[length > 0 ? length : 0] = '\0';
    if (length <= 0)
        server->is_over = true;
    for (command = strtok(text, "\n"); command != NULL;
         command = strtok(NULL, "\n"))
        obey(server, command);
}

/* A file, or /dev/null, cannot be polled, and has no commands. */
static bool watch_input(struct server * server)
{
    return watch(server, STDIN_FILENO, INPUT) || errno == EPERM;
}

static bool begin(struct server * server)
{
    struct itimerspec second = { { 1, 0 }, { 1, 0 } };

    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->acceptor = facceptor_create();
    server->set = fset_create();
    server->events = fqueue_create();
    server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return server->epoll >= 0 && server->acceptor != NULL
        && server->set != NULL && server->events != NULL
        && timerfd_settime(server->timer, 0, &second, NULL) == 0
        && watch(server, facceptor_pollfd(server->acceptor), ACCEPTOR)
        && watch(server, fset_pollfd(server->set), FLOWS)
        && watch(server, server->timer, TIMER)
        && watch_input(server);
}

static void run(struct server * server)
{
    struct epoll_event events[16];
    int                count;
    int                i;

    while (!server->is_over) {
        count = epoll_wait(server->epoll, events, 16, -1);
        if (count < 0 && errno != EINTR)
            return;
        for (i = 0; i < count; i++)
            switch ((enum source) events[i].data.u32) {
            case ACCEPTOR:
                accept_flows(server);
                break;
            case FLOWS:
                serve_flows(server);
                break;
            case TIMER:
                tick(server);
                break;
            case INPUT:
                read_commands(server);
                break;
            }
        fflush(stdout);
    }
}

int main(int     argc,
         char ** argv)
{
    static struct server server;

    if (argc != 2) {
        fprintf(stderr, "usage: %s NAME\n", argv[0]);
        return 2;
    }
    server.name = argv[1];
    if (!begin(&server)) {
        fprintf(stderr, "%s: cannot wait: %s\n", argv[0], strerror(errno));
        return 1;
    }
    bind_name(&server);
    if (!server.is_bound)
        printf("Not bound to %s: %s.\n", server.name, irm_last_error());
    fflush(stdout);
    run(&server);
    /* Flows end with the process; a flow that was not taken finds another. */
    facceptor_destroy(server.acceptor);
    return 0;
}
