// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Processes that speak irmd's protocol badly: random bytes, truncated and changed messages in each role, connections
// that say nothing, half a message, requests whose answers nobody reads, descriptors that nobody asked for. An honest
// pair goes on, and irmd is left with nothing.
//
// usage: strangers ROUNDS SEED

#include "honest.h"
#include "messages.h"

#include <poll.h>
#include <sys/resource.h>

#define NAME "honest.strangers.endurance"

static uint64_t deadline;
static uint64_t messages_sent;

// Each connection greets, or does not, and then talks until irmd has had enough of it.
static void talk(bool reads) {
    struct message message;
    int fd = connect_to_irmd();
    if (fd < 0)
        return;
    offered_flow = 0;
    request_role = (enum role)(random_number() % ROLES);
    if (random_number() % 8) {
        make_hello(&message, request_role);
        (void)send_message(fd, &message);
    }
    for (int i = 0; i < 100; i++) {
        make_odd(&message, make_request);
        ssize_t sent = send_message(fd, &message);
        messages_sent++;
        // On a connection for calls a second request before the answer would be the last.
        if (reads && (request_role != CALL || poll(&(struct pollfd){fd, POLLIN, 0}, 1, 5) >= 0))
            drain(fd);
        if (sent < 0 && errno != EAGAIN)
            break;
    }
    close(fd);
}

// Right requests only, whose answers nobody reads.
static void ask_without_reading(void) {
    struct message message;
    int fd = connect_to_irmd();
    if (fd < 0)
        return;
    make_hello(&message, MANAGEMENT);
    (void)send_message(fd, &message);
    message.count = 0;
    put(&message, 7, 1);
    put(&message, 1, 8);
    put(&message, 17, 1);
    for (int i = 0; i < 1500; i++, messages_sent++)
        if (send_message(fd, &message) < 0 && errno != EAGAIN)
            break;
    close(fd);
}

static void keep_silent(void) {
    enum { CONNECTIONS = 800 };
    int fds[CONNECTIONS], count = 0;
    for (; count < CONNECTIONS; count++)
        if ((fds[count] = connect_to_irmd()) < 0)
            break;
    struct message message;
    make_hello(&message, SESSION);
    message.count /= 2;
    for (int i = 0; i < count; i += 2)
        (void)send_message(fds[i], &message);
    usleep((useconds_t)(random_number() % 20000));
    while (count > 0)
        close(fds[--count]);
}

static void send_descriptors(void) {
    char control[CMSG_SPACE(250 * sizeof(int))] = {0};
    struct message message;
    int fd = connect_to_irmd();
    if (fd < 0)
        return;
    make_hello(&message, (enum role)(random_number() % ROLES));
    for (int i = 0; i < 20; i++) {
        int count = (int)(1 + random_number() % 250);
        struct iovec part = {message.bytes, message.count};
        struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
        header.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        for (int j = 0; j < count; j++)
            ((int *)CMSG_DATA(c))[j] = fd;
        if (sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
            break;
        drain(fd);
        messages_sent++;
        make_request(&message);
    }
    close(fd);
}

static void be_strange(int ready, void *argument) {
    uint64_t *sent = argument;
    struct rlimit limit = {1024, 1024};
    setrlimit(RLIMIT_NOFILE, &limit);
    say_ready(ready);
    while (now_ns() < deadline) {
        switch (random_number() % 32) {
        case 0: ask_without_reading(); break;
        case 1: keep_silent(); break;
        case 2: send_descriptors(); break;
        case 3: talk(false); break;
        default: talk(true);
        }
    }
    __atomic_add_fetch(sent, messages_sent, __ATOMIC_RELAXED);
}

// The strangers' names, so that memory can be compared.
static void destroy_names(void) {
    struct name_info *names = NULL;
    ssize_t count = irm_list_names(&names);
    if (count < 0)
        fail("irm_list_names: %zd", count);
    for (ssize_t i = 0; i < count; i++)
        if (strcmp(names[i].name, NAME) != 0)
            irm_destroy_name(names[i].name);
    free(names);
}

static void run_round(struct honest *honest, uint64_t *sent) {
    pid_t strangers[3];
    deadline = now_ns() + 100000000;
    for (int i = 0; i < 3; i++) {
        random_number();
        strangers[i] = start(be_strange, sent);
    }
    expect_honest_progress(honest, 5);
    for (int i = 0; i < 3; i++)
        if (random_number() % 4)
            expect_success(strangers[i], "a stranger");
        else
            end_child(strangers[i]);
    destroy_names();
    expect_honest_progress(honest, 5);
}

int main(int argc, char **argv) {
    int rounds = begin(argc, argv, 20, 120);
    uint64_t *sent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct honest honest;
    start_honest(&honest, NAME);
    for (int round = 0; round < 5; round++)
        run_round(&honest, sent);
    struct holdings before = irmd_holdings();
    // A flow of the honest pair may be under way now and not then: two ends, a segment.
    for (int round = 0; round < rounds; round++)
        run_round(&honest, sent);
    expect_no_growth("strangers", before, 8, 2048);
    printf("%llu messages of strangers, %llu flows of the honest\nok\n", (unsigned long long)*sent,
           (unsigned long long)*honest.flows);
    end_honest(&honest);
    irm_destroy_name(NAME);
    return 0;
}
