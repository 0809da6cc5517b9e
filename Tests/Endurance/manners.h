// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The manners in which an end of a flow can wait while something kills what is at its other end, and a server for them
// all. Every message is of one byte, many times.

#ifndef ENDURANCE_MANNERS_H
#define ENDURANCE_MANNERS_H

#include "support.h"

#include <poll.h>
#include <sys/uio.h>

enum manner {
    READS,    // an idle flow
    PINGS,    // message by message
    PIECES,   // the same in pieces
    IN_PLACE, // the same in the memory of the flow
    WAITS,    // for events of an idle flow
    POLLS,    // for events of a busy one, in a poll of its own
    WRITES,   // against a full queue
    RESERVES, // the same
    HOLDS,    // with a message and a place in its hands
    MANNERS
};

enum { LITTLE = 100, MUCH = 60000 };

struct end {
    int fd, pollfd;
    fset_t *set;
    fqueue_t *queue;
    uint8_t byte; // of the message that was sent last
    uint8_t buffer[65536];
};

static void expect_whole(const uint8_t *message, ssize_t count) {
    for (ssize_t i = 1; i < count; i++)
        if (message[i] != message[0])
            fail("a message of %zd bytes is torn at %zd", count, i);
}

static ssize_t read_one(struct end *end) {
    ssize_t count = flow_read(end->fd, end->buffer, sizeof end->buffer);
    expect_whole(end->buffer, count);
    return count;
}

static ssize_t read_in_pieces(struct end *end) {
    struct iovec parts[3] = {{end->buffer, 30}, {NULL, 0}, {end->buffer + 30, sizeof end->buffer - 30}};
    ssize_t count = flow_readv(end->fd, parts, 3);
    expect_whole(end->buffer, count);
    return count;
}

static ssize_t read_in_place(struct end *end) {
    const void *message;
    ssize_t count = flow_peek(end->fd, &message);
    if (count < 0)
        return count;
    expect_whole(message, count);
    int result = flow_release(end->fd);
    return result < 0 ? result : count;
}

static ssize_t write_one(struct end *end, size_t count) {
    memset(end->buffer, ++end->byte, count);
    return flow_write(end->fd, end->buffer, count);
}

static ssize_t write_in_pieces(struct end *end, size_t count) {
    memset(end->buffer, ++end->byte, count);
    struct iovec parts[3] = {{end->buffer, 60}, {NULL, 0}, {end->buffer + 60, count - 60}};
    return flow_writev(end->fd, parts, 3);
}

static ssize_t write_in_place(struct end *end, size_t count) {
    void *place;
    ssize_t result = flow_reserve(end->fd, &place, count);
    if (result < 0)
        return result;
    memset(place, ++end->byte, count);
    return flow_commit(end->fd, count);
}

// The next event of the flow, after a sleep in fevent or in poll.
static enum fqtype next_event(struct end *end, bool polls) {
    static const struct timespec none = {0, 0};
    while (fqueue_next(end->queue) != end->fd) {
        ssize_t result = fevent(end->set, end->queue, polls ? &none : NULL);
        struct pollfd one = {end->pollfd, POLLIN, 0};
        if (polls && result == -ETIMEDOUT && poll(&one, 1, -1) == 1)
            continue;
        if (result != 1)
            fail("fevent: %zd", result);
    }
    return fqueue_type(end->queue);
}

static ssize_t await_message(struct end *end) {
    ssize_t result = write_one(end, LITTLE);
    if (result < 0)
        return result;
    switch (next_event(end, true)) {
    case FLOW_PKT: return read_one(end);
    case FLOW_DEALLOC: return -EFLOWDOWN;
    default: fail("an event that cannot be");
    }
}

// What it holds is good until it lets go, whatever has become of the flow.
static ssize_t hold(struct end *end) {
    const void *message;
    void *place = NULL;
    uint8_t byte = end->byte + 1;
    ssize_t result = write_one(end, LITTLE);
    ssize_t count = result < 0 ? result : flow_peek(end->fd, &message);
    if (count < 0)
        return count;
    result = flow_reserve(end->fd, &place, MUCH);
    if (result >= 0)
        memset(place, byte, MUCH);
    while (next_event(end, true) != FLOW_DEALLOC)
        ;
    expect_whole(message, count);
    if (count != LITTLE || *(const uint8_t *)message != byte)
        fail("the message that was held is another one");
    if (result >= 0) {
        memset(place, 1, MUCH);
        result = flow_commit(end->fd, MUCH);
    }
    if (flow_release(end->fd) != 0)
        fail("a message that was held cannot be released");
    return result < 0 ? result : 0;
}

static ssize_t use_once(struct end *end, enum manner manner) {
    ssize_t result;
    switch (manner) {
    case READS: return read_one(end);
    case PINGS: return (result = write_one(end, LITTLE)) < 0 ? result : read_one(end);
    case PIECES: return (result = write_in_pieces(end, LITTLE)) < 0 ? result : read_in_pieces(end);
    case IN_PLACE: return (result = write_in_place(end, LITTLE)) < 0 ? result : read_in_place(end);
    case WAITS: return next_event(end, false) == FLOW_DEALLOC ? -EFLOWDOWN : 0;
    case POLLS: return await_message(end);
    case WRITES: return write_one(end, MUCH);
    case RESERVES: return write_in_place(end, MUCH);
    case HOLDS: return hold(end);
    case MANNERS: break;
    }
    fail("no manner");
}

// Returns when the flow is down.
__attribute__((unused)) static void use_until_down(int fd, enum manner manner) {
    static struct end end;
    end = (struct end){.fd = fd, .set = fset_create(), .queue = fqueue_create()};
    bool has_events = manner == WAITS || manner == POLLS || manner == HOLDS;
    if (has_events && (fset_add(end.set, fd) < 0 || (end.pollfd = fset_pollfd(end.set)) < 0))
        fail("fset_add");
    ssize_t result;
    while ((result = use_once(&end, manner)) >= 0)
        ;
    if (result != -EFLOWDOWN)
        fail("the client got %zd instead of -EFLOWDOWN in manner %d", result, manner);
    fqueue_destroy(end.queue);
    fset_destroy(end.set);
}

// Sends back what comes, in place or by the way of a buffer. Returns when the flow is down.
__attribute__((unused)) static void echo_until_down(int fd, bool in_place) {
    static struct end end;
    end = (struct end){.fd = fd};
    ssize_t count, result = 0;
    while (result >= 0) {
        const void *message = end.buffer;
        void *place;
        count = in_place ? flow_peek(fd, &message) : flow_read(fd, end.buffer, sizeof end.buffer);
        if (count < 0) {
            result = count;
            break;
        }
        expect_whole(message, count);
        if (!in_place) {
            result = flow_write(fd, message, (size_t)count);
            continue;
        }
        result = flow_reserve(fd, &place, (size_t)count);
        if (result >= 0) {
            memcpy(place, message, (size_t)count);
            result = flow_commit(fd, (size_t)count);
        }
        if (flow_release(fd) != 0)
            fail("the server's message cannot be released");
    }
    if (result != -EFLOWDOWN)
        fail("the server got %zd instead of -EFLOWDOWN", result);
}

#endif
