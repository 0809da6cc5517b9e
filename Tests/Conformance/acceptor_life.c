/*
 * Ouroboros: acceptors that end, and processes and an irmd that do (an
 * extension)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <ouroboros/facceptor.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * A flow that has come and was not taken is never lost: whatever becomes of
 * the acceptor and its process, another acceptor gets it.
 */

enum { NUMBERS = 1024, PAIRS = 480 };

static bool is_readable(int fd,
                        int milliseconds)
{
    struct pollfd one = { fd, POLLIN, 0 };

    return poll(&one, 1, milliseconds) == 1;
}

/* As a loop does: waits until there is something, and takes until -EAGAIN. */
static int take(facceptor_t * acceptor)
{
    int fd;

    do {
        MUST(is_readable(facceptor_pollfd(acceptor), -1), "readable");
        fd = facceptor_take(acceptor, NULL);
    } while (fd == -EAGAIN);

    return fd;
}

/*
 * One that is readable when a flow has come, and not because irmd has greeted
 * the connection: it has had a flow already.
 */
static facceptor_t * greeted_acceptor(const char * name)
{
    facceptor_t * acceptor = facceptor_create();
    struct agent  client = agent_start();

    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    MUST(flow_dealloc(take(acceptor)) == 0, "a first flow");
    MUST(agent_finish(&client).result >= FIRST_FD, "for the client, too");
    agent_end(&client);
    return acceptor;
}

/* A client waits, and the acceptor was told of its flow and has not taken it. */
static struct agent client_of(facceptor_t * acceptor,
                              const char *  name)
{
    struct agent client = agent_start();

    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    MUST(is_readable(facceptor_pollfd(acceptor), -1), "a flow has come");
    return client;
}

static void check_has_flow(struct agent * client,
                           int            fd,
                           const char *   sentence)
{
    int peer;

    CHECK(fd >= FIRST_FD, "%s (%d)", sentence, fd);
    peer = (int) agent_finish(client).result;
    CHECK_RESULT(agent_write(client, peer, 10, 1), 10, "its client writes");
    CHECK_RESULT(read_message(fd, 100, 1), 10, "and is read");
    flow_dealloc(fd);
    agent_end(client);
}

static void check_destroyed(const char * name)
{
    facceptor_t * other = facceptor_create();
    facceptor_t * acceptor = greeted_acceptor(name);
    struct agent  client = client_of(acceptor, name);
    struct agent  server = agent_start();

    facceptor_destroy(acceptor);
    check_has_flow(&client, take(other), "another acceptor gets the flow");

    client = client_of(other, name);
    facceptor_destroy(other);
    check_has_flow(&client, flow_accept(NULL, NULL), "flow_accept gets it");

    MUST(agent_bind(&server, name) == 0, "another process");
    acceptor = greeted_acceptor(name);
    client = client_of(acceptor, name);
    agent_begin(&server, agent_command(AGENT_ACCEPT, -1));
    agent_sleep(&server);
    facceptor_destroy(acceptor);
    CHECK(agent_finish(&server).result >= FIRST_FD, "another process gets it");
    CHECK(agent_finish(&client).result >= FIRST_FD, "and so does the client");
    agent_end(&client);
    agent_end(&server);
}

static void check_paused(const char * name)
{
    facceptor_t * acceptor = greeted_acceptor(name);
    int           pollfd = facceptor_pollfd(acceptor);
    struct agent  client = client_of(acceptor, name);

    facceptor_pause(acceptor);
    facceptor_pause(acceptor);
    CHECK(!is_readable(pollfd, 0), "one that is paused is not readable");
    check_has_flow(&client, flow_accept(NULL, NULL), "another gets the flow");
    client = agent_start();
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    agent_sleep(&client);
    CHECK(!is_readable(pollfd, 0), "nor with a client that waits");
    CHECK_RESULT(facceptor_pollfd(acceptor), pollfd, "it goes on the same");
    check_has_flow(&client, take(acceptor), "and takes the flow");
    facceptor_destroy(acceptor);
}

/* A child takes no flow of its parent's; it can have its own. */
struct family {
    facceptor_t * acceptor;
    int           pollfd;
    const char *  name;
    const char *  childs_name;
};

static int in_child_of(void * argument)
{
    struct family * family = argument;
    struct agent    client;
    struct stat     status;
    int             fd;

    if (facceptor_take(family->acceptor, NULL) != -EAGAIN)
        return 1;
    if (irm_bind_process(getpid(), family->childs_name) != 0)
        return 2;
    client = agent_start();
    agent_begin(&client, agent_naming(AGENT_ALLOC, family->childs_name));
    fd = take(family->acceptor);
    if (fd < FIRST_FD || agent_finish(&client).result < FIRST_FD)
        return 3;
    agent_end(&client);
    facceptor_destroy(family->acceptor);
    return fstat(STDERR_FILENO, &status) == 0 ? 0 : 4;
}

static void check_fork(const char * name)
{
    facceptor_t * acceptor = greeted_acceptor(name);
    struct family family = { acceptor, facceptor_pollfd(acceptor), name,
                             own_name("child") };
    struct agent  client = client_of(acceptor, name);

    CHECK_RESULT(in_child(in_child_of, &family), 0,
                 "a child takes what is for the child");
    CHECK(is_readable(family.pollfd, 0), "its parent's flow is still there");
    CHECK_RESULT(facceptor_pollfd(acceptor), family.pollfd, "with the same");
    check_has_flow(&client, take(acceptor), "and the parent takes it");
    CHECK_RESULT(in_child(in_child_of, &family), 0, "another child");
    CHECK(!is_readable(family.pollfd, 0), "tells the parent of nothing");
    facceptor_destroy(acceptor);
}

/* A process that ends, or becomes another program, with a flow not taken. */
static int end_with_flow(void * argument)
{
    struct family * family = argument;
    facceptor_t *   acceptor = facceptor_create();
    char            byte = 0;

    /* Before it has a name, irmd's greeting alone makes it readable. */
    if (!is_readable(facceptor_pollfd(acceptor), -1)
        || facceptor_take(acceptor, NULL) != -EAGAIN
        || irm_bind_process(getpid(), family->name) != 0
        || write(family->pollfd, &byte, 1) != 1
        || !is_readable(facceptor_pollfd(acceptor), -1)
        || write(family->pollfd, &byte, 1) != 1)
        return 1;
    if (family->childs_name != NULL)
        execl("/bin/sleep", "sleep", "60", (char *) NULL);
    return 0;
}

static void check_ends(const char * becomes)
{
    const char *  name = own_name(becomes != NULL ? "exec" : "exit");
    struct agent  client = agent_start();
    facceptor_t * acceptor = facceptor_create();
    int           ends[2];
    char          byte;
    pid_t         pid;

    MUST(pipe(ends) == 0, "a pipe");
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pid = fork();
    if (pid == 0) {
        struct family family = { NULL, ends[1], name, becomes };

        alarm(WATCHDOG);
        _exit(end_with_flow(&family));
    }
    close(ends[1]);
    MUST(irm_bind_process(getpid(), name) == 0, "this process serves it, too");
    MUST(read(ends[0], &byte, 1) == 1, "the child is bound");
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    MUST(read(ends[0], &byte, 1) == 1, "the flow came to the child");
    check_has_flow(&client, take(acceptor),
                   becomes != NULL ? "a program that is replaced loses none"
                   : "a process that ends loses none");
    if (becomes != NULL)
        kill(pid, SIGKILL);
    child_result(pid);
    close(ends[0]);
    facceptor_destroy(acceptor);
}

/* irmd goes, and comes again. */
static int check_restarts(void * unused)
{
    const char *  name = own_name("restart");
    facceptor_t * acceptor = facceptor_create();
    facceptor_t * early = facceptor_create();
    pid_t         irmd;
    struct agent  client;
    int           pollfd;

    (void) unused;
    setenv("OUROBOROS_RUNTIME_DIR", scratch_directory(), 1);
    CHECK(is_readable(facceptor_pollfd(early), -1), "without irmd");
    CHECK_RESULT(facceptor_take(early, NULL), -EIRMD, "there is none");
    CHECK(strstr(flow_last_error(), "irmd") != NULL, "as is said");
    CHECK_RESULT(facceptor_take(early, NULL), -EAGAIN, "which is told once");
    CHECK(!is_readable(facceptor_pollfd(early), 0), "and nothing is readable");

    irmd = private_irmd_start();
    MUST(irm_bind_process(getpid(), name) == 0, "an irmd");
    client = agent_start();
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    check_has_flow(&client, take(early), "one that is started is found");
    facceptor_destroy(early);

    pollfd = facceptor_pollfd(acceptor);
    MUST(facceptor_take(acceptor, NULL) == -EAGAIN, "it accepts");
    kill(irmd, SIGKILL);
    child_result(irmd);
    CHECK(is_readable(pollfd, -1), "an irmd that dies makes it readable");
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EIRMD, "it went away");
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EAGAIN, "which is told once");
    /* It has looked for another one at least once when the time is over. */
    CHECK(!is_readable(pollfd, 100), "and nothing is readable meanwhile");

    irmd = private_irmd_start();
    MUST(irm_bind_process(getpid(), name) == 0, "another irmd");
    client = agent_start();
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    CHECK(is_readable(pollfd, -1), "the same becomes readable");
    check_has_flow(&client, take(acceptor), "and has its flow");
    CHECK_RESULT(facceptor_pollfd(acceptor), pollfd, "it is still the same");

    kill(irmd, SIGKILL);
    child_result(irmd);
    irmd = private_irmd_start();
    CHECK_RESULT(take(acceptor), -EIRMD, "one that is soon there again");
    MUST(irm_bind_process(getpid(), name) == 0, "a third irmd");
    client = agent_start();
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    check_has_flow(&client, take(acceptor), "is told of once, too");
    facceptor_destroy(acceptor);
    kill(irmd, SIGTERM);
    child_result(irmd);
    return conformance_end();
}

/* The program closes all, and has sockets of its own at all those numbers. */
static void check_closed(const char * name)
{
    static int    own[PAIRS][2];
    facceptor_t * acceptor = facceptor_create();
    struct agent  client = agent_start();
    struct stat   status;
    char          byte;
    int           count = 0;
    int           touched = 0;
    int           number;

    MUST(facceptor_pollfd(acceptor) >= 0, "it accepts");
    for (number = 3; number < NUMBERS; number++)
        if (number != client.commands && number != client.answers)
            close(number);
    while (count < PAIRS
           && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, own[count]) == 0)
        count++;
    for (number = 0; number < 20; number++) {
        count--;
        close(own[count][0]);
        close(own[count][1]);
    }
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EIRMD,
                 "closed descriptors are irmd's end");
    CHECK(fstat(facceptor_pollfd(acceptor), &status) == 0, "it has another");
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    check_has_flow(&client, take(acceptor), "and goes on");
    facceptor_destroy(acceptor);
    while (count-- > 0) {
        for (number = 0; number < 2; number++)
            touched += recv(own[count][number], &byte, 1, MSG_DONTWAIT) >= 0
                || errno != EAGAIN;
        close(own[count][0]);
        close(own[count][1]);
    }
    CHECK_RESULT(touched, 0, "no socket of the program's was touched");
}

/* Every descriptor but that which is polled is replaced. */
static void check_replaced(const char * name)
{
    facceptor_t * acceptor = facceptor_create();
    struct agent  client = agent_start();
    int           pollfd = facceptor_pollfd(acceptor);
    int           null = open("/dev/null", O_RDWR);
    int           number;

    for (number = 3; number < NUMBERS; number++)
        if (number != client.commands && number != client.answers
            && number != pollfd && fcntl(number, F_GETFD) >= 0)
            dup2(null, number);
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EIRMD, "replaced ones, too");
    CHECK(facceptor_pollfd(acceptor) >= 0, "one that is polled is made anew");
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    check_has_flow(&client, take(acceptor), "and it goes on");
    facceptor_destroy(acceptor);
}

int main(int     argc,
         char ** argv)
{
    const char * name;

    conformance_begin(argc, argv);
    name = own_name("life");
    MUST(irm_bind_process(getpid(), name) == 0, "a name");

    check_destroyed(name);
    check_paused(name);
    check_fork(name);
    check_ends(NULL);
    check_ends("another program");
    CHECK_RESULT(in_child(check_restarts, NULL), 0, "all of that in order");
    check_closed(name);
    check_replaced(name);

    return conformance_end();
}
