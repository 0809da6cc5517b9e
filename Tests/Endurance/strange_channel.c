// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An IPCP whose channel speaks nonsense: it must neither crash nor grow, answer what is right all the same, and end in
// order when the channel ends.
//
// usage: strange_channel ROUNDS SEED

#include "messages.h"

#include <fcntl.h>

static int channel;

static pid_t start_ipcp(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        fail("socketpair");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        dup2(ends[1], 3);
        execlp("ipcpd-local", "ipcpd-local", "--name", "strange", "--stdout", NULL);
        _exit(127);
    }
    close(ends[1]);
    channel = ends[0];
    return pid;
}

static void make_ipcp_request(struct message *message) {
    static const uint8_t lengths[] = {0, 28, 32, 64};
    unsigned kind = (unsigned)(random_number() % 10);
    message->count = 0;
    put(message, kind, 1);
    if (kind < 7)
        put(message, random_number(), 8);
    else
        put(message, random_number() % 100, 4);
    if (kind == 0) {
        put_string(message, "layer");
        put(message, random_number() % 6, 4);
        put(message, random_number() % 8, 4);
        put_random(message, random_number() % 40);
    } else if (kind < 4) {
        put_string(message, "destination");
        if (kind > 1)
            put_string(message, "Data Transfer");
        if (kind == 2)
            put_random(message, 30);
    } else if (kind < 8) {
        uint8_t length = lengths[random_number() % sizeof lengths];
        put(message, length, 2);
        while (length-- > 0)
            put(message, random_number() % 2, 1);
        if (kind == 6)
            put(message, random_number() % 3, 4); // the user
    }
}

// Unlike `drain` waits for an answer to this request.
static uint8_t answer_to(uint64_t request) {
    uint8_t bytes[16384];
    for (;;) {
        uint64_t id = 0;
        ssize_t count = recv(channel, bytes, sizeof bytes, 0);
        if (count <= 0)
            fail("the IPCP has closed its channel");
        memcpy(&id, bytes + 1, sizeof id);
        if (count >= 9 && id == request && bytes[0] != 0)
            return bytes[0];
    }
}

static void expect_sense(void) {
    static uint64_t request = 1;
    struct message message = {0};
    request += 1u << 20;
    put(&message, 6, 1);
    put(&message, request, 8);
    put_string(&message, "never registered");
    put(&message, getuid(), 4);
    if (send(channel, message.bytes, message.count, MSG_NOSIGNAL) < 0)
        fail("the IPCP has gone");
    if (answer_to(request) != 2)
        fail("the IPCP knows what it cannot know");
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 60);
    struct message message;
    pid_t ipcp = start_ipcp();
    long before = 0;
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 500; i++) {
            make_odd(&message, make_ipcp_request);
            while (send_message(channel, &message) < 0) {
                if (errno != EAGAIN)
                    fail("the IPCP has gone: %s", strerror(errno));
                drain(channel);
            }
            drain(channel);
        }
        expect_sense();
        if (waitpid(ipcp, NULL, WNOHANG) != 0)
            fail("the IPCP has died");
        if (round == rounds / 2)
            before = status_kib(ipcp, "RssAnon");
    }
    long after = status_kib(ipcp, "RssAnon");
    printf("%d messages; private memory of the IPCP %ld KiB half-way, %ld KiB at the end\n", rounds * 500, before, after);
    expect_little_growth("the IPCP", before, after, 2048);
    close(channel);
    expect_success(ipcp, "the IPCP");
    puts("ok");
    return 0;
}
