/*
 * Ouroboros: an irmd that does not answer (c-api §5)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <ouroboros/facceptor.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/un.h>

/*
 * irmd is stopped. Calls with a limit end with -ETIMEDOUT, not before it;
 * those without a limit wait in other threads meanwhile; fork, deallocation
 * and the end of a process wait for nobody. The watchdog finds what hangs.
 */

enum { CROWD = 8, BACKLOG = 5000 };

static const int64_t limit = 100;

static long long timed(long long (*call)(void),
                       int64_t * lasted)
{
    int64_t   begin = now_ms();
    long long result = call();

    *lasted = now_ms() - begin;
    return result;
}

static long long accept_one(void)
{
    struct timespec buffer;

    return flow_accept(NULL, interval(&buffer, limit));
}

static long long accept_now(void)
{
    struct timespec buffer;

    return flow_accept(NULL, interval(&buffer, 0));
}

static long long allocate_one(void)
{
    struct timespec buffer;

    return flow_alloc("nobody.frozen", NULL, interval(&buffer, limit));
}

static long long join_one(void)
{
    struct timespec buffer;

    return flow_join("nobody.frozen", interval(&buffer, limit));
}

static void check_limits(const char * when)
{
    int64_t lasted;

    CHECK_RESULT(timed(accept_one, &lasted), -ETIMEDOUT, "%s: accept", when);
    CHECK(lasted >= limit, "is not early (%lld ms)", (long long) lasted);
    CHECK_RESULT(timed(allocate_one, &lasted), -ETIMEDOUT, "%s: alloc", when);
    CHECK(lasted >= limit, "is not early (%lld ms)", (long long) lasted);
    CHECK_RESULT(timed(join_one, &lasted), -ETIMEDOUT, "%s: join", when);
    CHECK(lasted >= limit, "is not early (%lld ms)", (long long) lasted);
    CHECK_RESULT(timed(accept_now, &lasted), -ETIMEDOUT, "%s: accept, 0",
                 when);
}

static void * wait_for_ever(void * unused)
{
    (void) flow_accept(NULL, NULL);
    return unused;
}

static int child(void * unused)
{
    (void) unused;
    return 0;
}

/*
 * Acceptors wait for nobody. When the caller is a process that irmd has never
 * answered, nothing is readable; else it is what irmd has said before.
 */
static int accept_by_poll(void * unused)
{
    facceptor_t * first = facceptor_create();
    facceptor_t * second = facceptor_create();

    (void) unused;
    if (facceptor_pollfd(first) < 0
        || facceptor_take(first, NULL) != -EAGAIN
        || facceptor_take(second, NULL) != -EAGAIN)
        return 1;
    facceptor_pause(first);
    if (facceptor_take(first, NULL) != -EAGAIN)
        return 2;
    facceptor_destroy(second);
    facceptor_destroy(first);
    return 0;
}

/* One that was made while irmd was stopped. */
static void check_goes_on(facceptor_t * acceptor,
                          const char *  name)
{
    struct agent  client = agent_start();
    struct pollfd one = { facceptor_pollfd(acceptor), POLLIN, 0 };
    int           fd = -EAGAIN;

    MUST(irm_bind_process(getpid(), name) == 0, "a name");
    agent_begin(&client, agent_naming(AGENT_ALLOC, name));
    while (fd == -EAGAIN && poll(&one, 1, -1) == 1)
        fd = facceptor_take(acceptor, NULL);
    CHECK(fd >= FIRST_FD, "and an acceptor has its flow (%d)", fd);
    CHECK(agent_finish(&client).result >= FIRST_FD, "and so has the client");
    flow_dealloc(fd);
    agent_end(&client);
    facceptor_destroy(acceptor);
}

/* In a process that irmd has never answered. */
static int first_calls(void * unused)
{
    int64_t lasted;

    (void) unused;
    if (timed(accept_now, &lasted) != -ETIMEDOUT)
        return 1;
    if (timed(allocate_one, &lasted) != -ETIMEDOUT || lasted < limit)
        return 2;
    return timed(accept_one, &lasted) == -ETIMEDOUT ? 0 : 3;
}

/* What a thread's call returned, or that it has not; and which thread. */
static int   returned = -ECANCELED;
static pid_t caller;

static void * accept_for_ever(void * unused)
{
    __atomic_store_n(&caller, (pid_t) syscall(SYS_gettid),
                     __ATOMIC_RELEASE);
    returned = flow_accept(NULL, NULL);
    return unused;
}

/* A thread that is cancelled ends in its call, and does not return from it. */
static int cancelled_first_call(void * unused)
{
    pthread_t thread;

    (void) unused;
    if (pthread_create(&thread, NULL, accept_for_ever, NULL) != 0)
        return 1;
    while (__atomic_load_n(&caller, __ATOMIC_ACQUIRE) == 0)
        sched_yield();
    wait_asleep(caller);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    return returned == -ECANCELED ? 0 : 2;
}

/* Connections that nobody accepts, until there is no room for more. */
static int fill_backlog(int * sockets)
{
    struct sockaddr_un address;
    int                count;

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/irm.sock",
             getenv("OUROBOROS_RUNTIME_DIR"));
    for (count = 0; count < BACKLOG; count++) {
        sockets[count] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
        if (sockets[count] < 0)
            break;
        if (connect(sockets[count], (struct sockaddr *) &address,
                    sizeof(address)) < 0) {
            close(sockets[count]);
            break;
        }
    }

    return count;
}

static void check_backlog(pid_t irmd)
{
    static int    sockets[BACKLOG];
    struct rlimit descriptors;
    int           count;
    int           index;

    MUST(getrlimit(RLIMIT_NOFILE, &descriptors) == 0, "a limit");
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    kill(irmd, SIGSTOP);
    count = fill_backlog(sockets);
    note("%d connections wait", count);
    /* Where there may be fewer descriptors than that, the calls need some. */
    for (index = 0; index < 32 && count > 0; index++)
        close(sockets[--count]);
    CHECK_RESULT(in_child(first_calls, NULL), 0,
                 "first calls behind a full backlog end in time");
    CHECK_RESULT(in_child(cancelled_first_call, NULL), 0,
                 "a first call behind a full backlog can be cancelled");
    CHECK_RESULT(in_child(accept_by_poll, NULL), 0,
                 "an acceptor behind a full backlog waits for nobody");
    for (index = 0; index < count; index++)
        close(sockets[index]);
    kill(irmd, SIGCONT);
}

/* In a child: this process is attached to the irmd that the tests share. */
static int check_frozen(void * argument)
{
    pid_t         irmd = *(pid_t *) argument;
    const char *  name = own_name("frozen");
    struct agent  server = agent_start();
    facceptor_t * acceptor = facceptor_create();
    pthread_t     threads[CROWD];
    int64_t       lasted;
    int           peer;
    int           fd;
    int           index;

    MUST(agent_bind(&server, name) == 0, "a server");
    flow_pair_more(&server, name, NULL, &fd, &peer);
    kill(irmd, SIGSTOP);
    check_limits("irmd is stopped");
    for (index = 0; index < CROWD; index++)
        MUST(pthread_create(&threads[index], NULL, wait_for_ever, NULL) == 0,
             "a thread");
    check_limits("and threads wait");
    CHECK_RESULT(in_child(child, NULL), 0, "a fork waits for nobody");
    CHECK_RESULT(in_child(first_calls, NULL), 0, "first calls of a process");
    CHECK_RESULT(in_child(cancelled_first_call, NULL), 0,
                 "a first call can be cancelled");
    CHECK_RESULT(in_child(accept_by_poll, NULL), 0,
                 "acceptors of a process wait for nobody");
    CHECK_RESULT(accept_by_poll(NULL), 0, "nor do those of this one");
    CHECK_RESULT(facceptor_take(acceptor, NULL), -EAGAIN, "nor another");
    CHECK_RESULT(write_message(fd, 10, 1), 10, "a flow goes on");
    CHECK_RESULT(agent_read(&server, peer, 100, 1), 10, "and its other end");
    CHECK_RESULT(flow_dealloc(fd), 0, "a deallocation waits for nobody");
    CHECK_RESULT(agent_read(&server, peer, 10, 0), -EFLOWDOWN,
                 "and the other end knows it");
    CHECK_RESULT(agent_on(&server, AGENT_EXIT, 0), 0, "a process ends");
    CHECK_RESULT(child_result(server.pid), 0, "in order");
    kill(irmd, SIGCONT);
    CHECK_RESULT(timed(accept_one, &lasted), -ETIMEDOUT,
                 "irmd goes on, and says itself that nobody came");
    check_goes_on(acceptor, own_name("thawed"));
    return conformance_end();
}

int main(int     argc,
         char ** argv)
{
    pid_t irmd;

    conformance_begin(argc, argv);
    irmd = private_irmd_start();
    check_backlog(irmd);
    CHECK_RESULT(in_child(check_frozen, &irmd), 0, "all of that in order");
    kill(irmd, SIGKILL);
    child_result(irmd);

    return conformance_end();
}
