/*
 * A sender that never waits in a write, and never looks in vain: one loop sends
 * numbered messages to many flows at once, as fast as each of them reads, and a
 * slow reader delays nobody. What cannot be written yet is the backlog of its
 * flow; FLOW_ROOM says when it fits.
 *
 *     cc backlog.c -o backlog $(pkg-config --cflags --libs ouroboros-dev)
 *     ./backlog MESSAGES NAME...
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1400 };

struct receiver {
    const char *  name;
    int           fd;
    unsigned long sent;
    unsigned long refused;
};

struct sender {
    fset_t *          set;
    fqueue_t *        events;
    unsigned long     messages; /* For each receiver. */
    struct receiver * receivers;
    int               count;
    int               open;
};

static void finish(struct sender *   sender,
                   struct receiver * receiver,
                   const char *      why)
{
    printf("%s: %lu messages, %lu of them at a second attempt; %s.\n",
           receiver->name, receiver->sent, receiver->refused, why);
    /* The flow leaves its set; what was written is still delivered. */
    flow_dealloc(receiver->fd);
    receiver->fd = -1;
    sender->open--;
}

/* As much as fits. If a message is refused, one FLOW_ROOM will come for it. */
static void send_backlog(struct sender *   sender,
                         struct receiver * receiver)
{
    char    message[LONGEST] = { 0 };
    ssize_t result;

    while (receiver->sent < sender->messages) {
        snprintf(message, sizeof(message), "%lu", receiver->sent);
        result = flow_write(receiver->fd, message, sizeof(message));
        if (result == -EAGAIN) {
            receiver->refused++;
            return;
        }
        if (result < 0) {
            finish(sender, receiver, ouroboros_strerror((int) result));
            return;
        }
        receiver->sent++;
    }
    finish(sender, receiver, "done");
}

static struct receiver * find(struct sender * sender,
                              int             fd)
{
    int i;

    for (i = 0; i < sender->count; i++)
        if (sender->receivers[i].fd == fd)
            return &sender->receivers[i];
    return NULL;
}

static void serve_events(struct sender * sender)
{
    char              answer[LONGEST];
    struct receiver * receiver;
    int               fd;

    while ((fd = fqueue_next(sender->events)) >= 0) {
        receiver = find(sender, fd);
        if (receiver == NULL)
            continue;
        switch (fqueue_type(sender->events)) {
        case FLOW_ROOM:
            send_backlog(sender, receiver);
            break;
        case FLOW_PKT:
            /* Nobody needs the answers; unread, they would fill the flow. */
            (void) flow_read(fd, answer, sizeof(answer));
            break;
        case FLOW_DEALLOC:
        case FLOW_PEER:
            finish(sender, receiver, "the other end has gone");
            break;
        default:
            break;
        }
    }
}

static bool open_flow(struct sender *   sender,
                      struct receiver * receiver)
{
    uint32_t flags = FLOWFDEFAULT | FLOWFNONBLOCK | FLOWFRNOPART;

    receiver->fd = flow_alloc(receiver->name, NULL, NULL);
    if (receiver->fd < 0) {
        fprintf(stderr, "%s: %s\n", receiver->name, flow_last_error());
        return false;
    }
    sender->open++;
    return fccntl(receiver->fd, FLOWSFLAGS, flags) == 0
        && fset_add(sender->set, receiver->fd) == 0;
}

static bool begin(struct sender * sender,
                  char **         names)
{
    int i;

    sender->set = fset_create();
    sender->events = fqueue_create();
    sender->receivers = calloc((size_t) sender->count,
                               sizeof(*sender->receivers));
    if (sender->set == NULL || sender->events == NULL
        || sender->receivers == NULL || fset_want(sender->set, FLOW_ROOM) < 0)
        return false;
    for (i = 0; i < sender->count; i++) {
        sender->receivers[i].name = names[i];
        if (!open_flow(sender, &sender->receivers[i]))
            return false;
    }
    return true;
}

int main(int     argc,
         char ** argv)
{
    struct sender sender = { 0 };
    int           i;

    if (argc < 3) {
        fprintf(stderr, "usage: %s MESSAGES NAME...\n", argv[0]);
        return 2;
    }
    sender.messages = strtoul(argv[1], NULL, 10);
    sender.count = argc - 2;
    if (!begin(&sender, argv + 2))
        return 1;
    for (i = 0; i < sender.count; i++)
        send_backlog(&sender, &sender.receivers[i]);
    while (sender.open > 0 && fevent(sender.set, sender.events, NULL) == 1)
        serve_events(&sender);
    fqueue_destroy(sender.events);
    fset_destroy(sender.set);
    free(sender.receivers);
    return sender.open > 0;
}
