// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Messages of the local protocol as a stranger makes them: right ones, nearly right ones, and random bytes.

#ifndef ENDURANCE_MESSAGES_H
#define ENDURANCE_MESSAGES_H

#include "support.h"

#include <sys/un.h>

struct message {
    size_t count;
    uint8_t bytes[16384];
};

__attribute__((unused)) static void put(struct message *message, uint64_t value, int count) {
    for (; count > 0 && message->count < sizeof message->bytes; count--, value >>= 8)
        message->bytes[message->count++] = (uint8_t)value;
}

__attribute__((unused)) static void put_string(struct message *message, const char *text) {
    put(message, strlen(text), 2);
    for (; *text; text++)
        put(message, (uint8_t)*text, 1);
}

enum role { SESSION, CALL, MANAGEMENT, ROLES };

__attribute__((unused)) static void make_hello(struct message *message, enum role role) {
    message->count = 0;
    put(message, 0, 1);
    put(message, 0x6f72754f, 4);
    put(message, 1, 2);
    put(message, 0, 2);
    put(message, 0, 4);
    put(message, role, 1);
    put_string(message, "/stranger");
}

__attribute__((unused)) static void put_random(struct message *message, size_t count) {
    while (count-- > 0)
        put(message, random_number() >> 24, 1);
}

// For which role requests are made, mostly; and the flow that was last offered.
__attribute__((unused)) static enum role request_role;
__attribute__((unused)) static uint32_t offered_flow;

__attribute__((unused)) static unsigned request_kind(void) {
    if (random_number() % 16 == 0)
        return (unsigned)(random_number() % 8);
    switch (request_role) {
    case SESSION: return 6;
    case CALL: return offered_flow ? 4 + (unsigned)(random_number() % 2) : 1 + (unsigned)(random_number() % 3);
    default: return 7;
    }
}

// A request with the right beginning; what follows is right or random.
__attribute__((unused)) static void make_request(struct message *message) {
    static const char *const names[] = {"stranger.endurance", "other.endurance", "nobody.endurance", "x"};
    const char *name = names[random_number() % 4];
    unsigned kind = request_kind();
    message->count = 0;
    put(message, kind, 1);
    switch (kind) {
    case 0:
        make_hello(message, (enum role)(random_number() % ROLES));
        break;
    case 1: // allocate, sometimes without patience
    case 3:
        put(message, random_number() % 8, 8);
        put_string(message, name);
        if (kind == 1) {
            put_random(message, 21);
            put(message, random_number() % 2, 1);
            put_random(message, 8);
        }
        put(message, 1, 1);
        put(message, random_number() % 5000000, 8);
        break;
    case 2: // accept
        put(message, random_number() % 8, 8);
        put(message, 1, 1);
        put(message, random_number() % 5000000, 8);
        break;
    case 4: // taken
    case 6: // deallocated
        put(message, offered_flow ? offered_flow : random_number() % 64, 4);
        break;
    case 5: // refused
        put(message, offered_flow, 4);
        put(message, 1 + random_number() % 100, 4);
        break;
    default: { // manage; no IPCPs are created, since they would have to be found again, and no program is started
        static const uint8_t codes[] = {1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
        uint8_t code = codes[random_number() % sizeof codes];
        put(message, random_number() % 8, 8);
        put(message, code, 1);
        if (code == 11 || code == 12 || code == 14 || code == 15)
            put_string(message, name);
        if (code == 11)
            for (int i = 0; i < 16; i++)
                put(message, 0, 1);
        if (code == 9 || code == 10)
            put(message, (uint64_t)getpid(), 4);
        if (code == 10)
            put(message, 1, 1);
        if (code == 9 || code == 10)
            put_string(message, name);
        if (code == 6 || code == 13 || code == 16)
            put(message, random_number() % 3, 4);
        if (code < 6)
            put_random(message, random_number() % 64);
    }
    }
}

// What a stranger sends: right, cut, too long, with bytes changed, or noise.
__attribute__((unused)) static void make_odd(struct message *message, void (*make)(struct message *)) {
    make(message);
    switch (random_number() % 32) {
    case 1: message->count = message->count ? random_number() % message->count : 0; break;
    case 2: put_random(message, 1 + random_number() % 64); break;
    case 3:
        for (uint64_t i = 1 + random_number() % 4; i > 0 && message->count > 0; i--)
            message->bytes[random_number() % message->count] = (uint8_t)(random_number() >> 24);
        break;
    case 4:
        message->count = 0;
        put_random(message, 1 + random_number() % 200);
        break;
    case 5:
        message->count = 0;
        put_random(message, 1 + random_number() % sizeof message->bytes);
        break;
    default: break;
    }
    if (message->count == 0)
        message->count = 1;
    // An IPCP or a program that it has irmd start would outlive this test.
    if (message->bytes[0] == 7 && message->count > 9 && (message->bytes[9] == 0 || message->bytes[9] == 7))
        message->bytes[9] = 17;
}

// A connection to irmd; negative if it takes no more.
__attribute__((unused)) static int connect_to_irmd(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.80s/irm.sock", getenv("OUROBOROS_RUNTIME_DIR"));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

__attribute__((unused)) static ssize_t send_message(int fd, const struct message *message) {
    return send(fd, message->bytes, message->count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Reads what there is, with descriptors, and throws it away.
__attribute__((unused)) static void drain(int fd) {
    uint8_t bytes[16384];
    char control[CMSG_SPACE(16 * sizeof(int))];
    for (;;) {
        struct iovec part = {bytes, sizeof bytes};
        struct msghdr header = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
            return;
        offered_flow = 0;
        if (bytes[0] == 2)
            memcpy(&offered_flow, bytes + 9, sizeof offered_flow);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c))
            for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
                close(((int *)CMSG_DATA(c))[i]);
    }
}

#endif
