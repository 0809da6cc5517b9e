/*
 * Ouroboros: acceptors, which are polled (an extension)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <ouroboros/facceptor.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>

enum { CLIENTS = 8, THREADS = 4, ROUNDS = 5 };

static bool is_readable(int fd,
                        int milliseconds)
{
    struct pollfd one = { fd, POLLIN, 0 };

    return poll(&one, 1, milliseconds) == 1;
}

/* As a loop does: waits until there is something, and takes until -EAGAIN. */
static int take(facceptor_t * acceptor,
                qosspec_t *   qs)
{
    int fd;

    do {
        MUST(is_readable(facceptor_pollfd(acceptor), -1), "readable");
        fd = facceptor_take(acceptor, qs);
    } while (fd == -EAGAIN);

    return fd;
}

/* A client's flow to the name, from the allocation to the end. */
static void serve(facceptor_t * acceptor,
                  const char *  name,
                  const char *  when)
{
    struct agent client = agent_start();
    int          peer;
    int          fd;

    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    fd = take(acceptor, NULL);
    CHECK(fd >= FIRST_FD, "%s a flow is taken (%d)", when, fd);
    peer = (int) agent_finish(&client).result;
    CHECK_RESULT(agent_write(&client, peer, 10, 1), 10, "its client writes");
    CHECK_RESULT(read_message(fd, 100, 1), 10, "and is read");
    flow_dealloc(fd);
    agent_end(&client);
}

static void check_arguments(void)
{
    CHECK_RESULT(facceptor_pollfd(NULL), -EINVAL, "no acceptor to poll");
    CHECK_RESULT(facceptor_take(NULL, NULL), -EINVAL, "none to take from");
    facceptor_pause(NULL);
    facceptor_destroy(NULL);
}

static void check_limit(void)
{
    static facceptor_t * acceptors[1024];
    size_t               count;

    for (count = 0; count < 1024; count++)
        MUST((acceptors[count] = facceptor_create()) != NULL, "an acceptor");
    CHECK(facceptor_create() == NULL, "a process has 1,024 acceptors");
    while (count-- > 0)
        facceptor_destroy(acceptors[count]);
}

/* Bound to no name, then to one. */
static void check_names(const char * name)
{
    facceptor_t * acceptor = facceptor_create();
    int           pollfd = facceptor_pollfd(acceptor);

    CHECK(pollfd > 2, "an acceptor has a file descriptor");
    CHECK_RESULT(facceptor_pollfd(acceptor), pollfd, "and always the same");
    CHECK(fcntl(pollfd, F_GETFD) & FD_CLOEXEC, "which exec closes");
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EAGAIN,
                 "without a name nothing comes");
    CHECK(!is_readable(pollfd, 0), "and nothing can be read");
    CHECK(flow_last_error()[0] == '\0', "which is no failure");
    MUST(irm_bind_process(getpid(), name) == 0, "a name");
    serve(acceptor, name, "bound meanwhile,");
    CHECK_RESULT(facceptor_pollfd(acceptor), pollfd, "it stays the same");
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EAGAIN, "no more comes");
    CHECK(!is_readable(pollfd, 0), "and nothing can be read");
    serve(acceptor, name, "one after the other,");
    facceptor_destroy(acceptor);
    CHECK_RESULT(fcntl(pollfd, F_GETFD), -1, "it ends with the acceptor");
}

static void check_quality(const char * name)
{
    struct agent         client = agent_start();
    struct agent_command command = agent_naming(AGENT_ALLOC, name);
    facceptor_t *        acceptor = facceptor_create();
    qosspec_t            got;
    int                  fd;

    command.has_qos = true;
    command.qos = qos_raw;
    command.qos.bandwidth = 12345;
    agent_begin(&client, command);
    fd = take(acceptor, &got);
    CHECK(fd >= FIRST_FD && got.bandwidth == 12345,
          "what the client asked for is told");
    MUST(agent_finish(&client).result >= FIRST_FD, "the client has its flow");
    flow_dealloc(fd);
    facceptor_destroy(acceptor);
    agent_end(&client);
}

/* Many at once, with epoll: with levels and with edges. */
static void check_many(const char * name,
                       uint32_t     manner)
{
    struct epoll_event event = { .events = EPOLLIN | manner };
    struct agent       clients[CLIENTS];
    facceptor_t *      acceptor = facceptor_create();
    int                epoll = epoll_create1(0);
    int                taken = 0;
    int                round, index, fd;

    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, facceptor_pollfd(acceptor), &event)
         == 0, "a loop");
    for (index = 0; index < CLIENTS; index++)
        clients[index] = agent_start();
    for (round = 0; round < ROUNDS; round++) {
        for (index = 0; index < CLIENTS; index++)
            agent_begin(&clients[index], agent_naming(AGENT_ALLOC, name));
        while (taken < CLIENTS * (round + 1)) {
            MUST(epoll_wait(epoll, &event, 1, -1) == 1, "the loop wakes");
            while ((fd = facceptor_take(acceptor, NULL)) >= 0) {
                flow_dealloc(fd);
                taken++;
            }
            MUST(fd == -EAGAIN, "-EAGAIN after the last (%d)", fd);
        }
        for (index = 0; index < CLIENTS; index++) {
            fd = (int) agent_finish(&clients[index]).result;
            MUST(fd >= FIRST_FD, "a client's flow (%d)", fd);
            agent_on(&clients[index], AGENT_DEALLOC, fd);
        }
    }
    CHECK_RESULT(taken, CLIENTS * ROUNDS, "%s: all that come at once",
                 manner != 0 ? "edges" : "levels");
    for (index = 0; index < CLIENTS; index++)
        agent_end(&clients[index]);
    facceptor_destroy(acceptor);
    close(epoll);
}

/* A server that takes a flow after its client has given up gets no flow. */
static void check_given_up(const char * name)
{
    struct agent         client = agent_start();
    struct agent_command command = agent_naming(AGENT_ALLOC, name);
    facceptor_t *        acceptor = facceptor_create();
    char                 byte;
    int                  fd;

    /* After it, readable means that a flow has come. */
    serve(acceptor, name, "before it");
    command.milliseconds = 100;
    agent_begin(&client, command);
    MUST(is_readable(facceptor_pollfd(acceptor), -1), "a client came");
    CHECK_RESULT(agent_finish(&client).result, -ETIMEDOUT, "and gave up");
    wait_for_irmd();
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EAGAIN,
                 "it is passed over");
    serve(acceptor, name, "after it");

    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    MUST(is_readable(facceptor_pollfd(acceptor), -1), "it came");
    agent_kill(&client);
    /* irmd may not know yet. */
    fd = facceptor_take(acceptor, NULL);
    CHECK(fd == -EAGAIN || flow_read(fd, &byte, 1) == -EFLOWDOWN,
          "one that died is passed over, or its flow is down (%d)", fd);
    flow_dealloc(fd);
    serve(acceptor, name, "after it");
    facceptor_destroy(acceptor);
}

/* Several threads, one acceptor; beside one that waits in flow_accept. */
struct crowd {
    facceptor_t * acceptor;
    int           done[2]; /* A pipe; what is closed wakes all. */
    int           taken;
    bool          has_accepted;
};

static void * take_in_thread(void * argument)
{
    struct crowd * crowd = argument;
    struct pollfd  both[2] = { { facceptor_pollfd(crowd->acceptor), POLLIN, 0 },
                               { crowd->done[0], POLLIN, 0 } };
    int            fd;

    while (poll(both, 2, -1) > 0 && both[1].revents == 0)
        while ((fd = facceptor_take(crowd->acceptor, NULL)) >= 0) {
            flow_dealloc(fd);
            __atomic_add_fetch(&crowd->taken, 1, __ATOMIC_RELAXED);
        }

    return NULL;
}

static void * accept_in_thread(void * argument)
{
    struct crowd * crowd = argument;
    int            fd = flow_accept(NULL, NULL);

    MUST(fd >= FIRST_FD, "flow_accept beside it (%d)", fd);
    flow_dealloc(fd);
    __atomic_add_fetch(&crowd->taken, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&crowd->has_accepted, true, __ATOMIC_RELAXED);
    return NULL;
}

static void check_threads(const char * name)
{
    struct crowd crowd = { facceptor_create(), { -1, -1 }, 0, false };
    struct agent client = agent_start();
    pthread_t    threads[THREADS + 1];
    int          allocated, index, fd;

    MUST(irm_set_name_policy(name, LB_RR) == 0, "turns");
    MUST(pipe(crowd.done) == 0, "a pipe");
    for (index = 0; index <= THREADS; index++)
        MUST(pthread_create(&threads[index], NULL,
                            index == 0 ? accept_in_thread : take_in_thread,
                            &crowd) == 0, "a thread");
    for (index = 0; index < 40
         || !__atomic_load_n(&crowd.has_accepted, __ATOMIC_RELAXED); index++) {
        fd = (int) agent_call(&client, agent_naming(AGENT_ALLOC, name)).result;
        MUST(fd >= FIRST_FD, "a client's flow (%d)", fd);
        agent_on(&client, AGENT_DEALLOC, fd);
    }
    allocated = index;
    pthread_join(threads[0], NULL);
    /* It is being polled, by threads that do not use it any more. */
    facceptor_pause(crowd.acceptor);
    close(crowd.done[1]);
    for (index = 1; index <= THREADS; index++)
        pthread_join(threads[index], NULL);
    CHECK_RESULT(crowd.taken, allocated, "threads take each flow once");
    close(crowd.done[0]);
    facceptor_destroy(crowd.acceptor);
    agent_end(&client);
}

/* One that is closed while a loop waits for it, and for something else. */
static void * wait_for_both(void * argument)
{
    int                epoll = *(int *) argument;
    struct epoll_event event;

    while (epoll_wait(epoll, &event, 1, -1) == 1)
        if (event.data.u32 == 1)
            return NULL;

    return argument;
}

static void check_closed_while_polled(const char * name)
{
    struct epoll_event event = { .events = EPOLLIN };
    facceptor_t *      acceptor = facceptor_create();
    facceptor_t *      other = facceptor_create();
    int                epoll = epoll_create1(0);
    int                ends[2];
    pthread_t          thread;
    void *             result;

    MUST(pipe(ends) == 0, "a pipe");
    epoll_ctl(epoll, EPOLL_CTL_ADD, facceptor_pollfd(acceptor), &event);
    event.data.u32 = 1;
    epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
    MUST(pthread_create(&thread, NULL, wait_for_both, &epoll) == 0, "a thread");
    facceptor_destroy(acceptor);
    serve(other, name, "after another was closed that a thread polls");
    close(ends[1]);
    pthread_join(thread, &result);
    CHECK(result == NULL, "that thread goes on waiting for other things");
    close(epoll);
    close(ends[0]);
    facceptor_destroy(other);
}

/* A thread that is cancelled has taken a flow or not; none is lost. */
static void * take_cancelled(void * argument)
{
    struct crowd * crowd = argument;

    pthread_cancel(pthread_self());
    crowd->taken = facceptor_take(crowd->acceptor, NULL);
    pthread_testcancel();

    return NULL;
}

static void check_cancelled(const char * name)
{
    struct crowd crowd = { facceptor_create(), { -1, -1 }, 0, false };
    struct agent client = agent_start();
    pthread_t    thread;
    void *       result = NULL;

    /* After it, readable means that a flow has come. */
    serve(crowd.acceptor, name, "by this thread");
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    MUST(is_readable(facceptor_pollfd(crowd.acceptor), -1), "readable");
    MUST(pthread_create(&thread, NULL, take_cancelled, &crowd) == 0, "a thread");
    pthread_join(thread, &result);
    CHECK(result == PTHREAD_CANCELED, "a thread is cancelled");
    CHECK(crowd.taken >= FIRST_FD, "after it has taken a flow");
    CHECK(agent_finish(&client).result >= FIRST_FD, "which its client has");
    flow_dealloc(crowd.taken);
    serve(crowd.acceptor, name, "and nobody is held up:");
    facceptor_destroy(crowd.acceptor);
    agent_end(&client);
}

/* No file descriptor for a flow: its client waits until there is one. */
static void check_exhausted(const char * name)
{
    struct agent  client = agent_start();
    facceptor_t * acceptor = facceptor_create();
    int           pollfd = facceptor_pollfd(acceptor);
    struct rlimit limit, low;
    int           fd;

    MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0, "a limit");
    low = limit;
    low.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &low);
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    CHECK_RESULT(take(acceptor, NULL), -EMFILE, "without file descriptors");
    CHECK(flow_last_error()[0] != '\0', "which has a reason");
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EAGAIN, "told of once");
    CHECK(!is_readable(pollfd, 0), "and nothing can be read");
    setrlimit(RLIMIT_NOFILE, &limit);
    fd = take(acceptor, NULL);
    CHECK(fd >= FIRST_FD, "then the flow comes (%d)", fd);
    CHECK(agent_finish(&client).result >= FIRST_FD, "which the client has");
    flow_dealloc(fd);
    facceptor_destroy(acceptor);
    agent_end(&client);
}

int main(int     argc,
         char ** argv)
{
    const char * name;

    conformance_begin(argc, argv);
    name = own_name("acceptor");

    check_arguments();
    check_limit();
    check_names(name);
    check_quality(name);
    check_many(name, 0);
    check_many(name, EPOLLET);
    check_given_up(name);
    check_threads(name);
    check_closed_while_polled(name);
    check_cancelled(name);
    check_exhausted(name);

    return conformance_end();
}
