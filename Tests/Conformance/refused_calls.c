/*
 * Ouroboros: a sandbox that refuses system calls (c-api §5)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <ouroboros/facceptor.h>

#include <poll.h>
#include <stddef.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/*
 * Filters of containers answer with whatever errno, at the start or from some
 * moment on. What the library can do without is done without: messages go
 * both ways with sleeps in between, by calls and by sets, and nothing spins.
 */

enum { TURNS = 30, MANY = 60, LARGE = 100000 };

static const struct {
    const char * name;
    unsigned     number;
} calls[] = {
    { "membarrier", SYS_membarrier },
    { "futex_waitv", SYS_futex_waitv },
    { "madvise", SYS_madvise },
    { "pidfd_open", SYS_pidfd_open },
    { "waitid", SYS_waitid },
    { "readlink", SYS_readlinkat },
    { "getrandom", SYS_getrandom },
    { "kill", SYS_kill },
    { "sched_yield", SYS_sched_yield },
    { "prctl", SYS_prctl },
    { "recvfrom", SYS_recvfrom },
    { "sendto", SYS_sendto },
    { "clock_nanosleep", SYS_clock_nanosleep },
    { "readlinkat", SYS_readlinkat },
    { "epoll_pwait", SYS_epoll_pwait },
    { "ppoll", SYS_ppoll },
    { "sysinfo", SYS_sysinfo },
    { "sched_getaffinity", SYS_sched_getaffinity },
#ifdef SYS_epoll_wait
    { "epoll_wait", SYS_epoll_wait },
    { "poll", SYS_poll },
    { "access", SYS_access },
    { "readlink by path", SYS_readlink },
#endif
};

/* What it cannot do without, it names. */
static const struct {
    const char * name;
    unsigned     number;
} necessary[] = {
    { "socket", SYS_socket },
    { "connect", SYS_connect },
    { "getsockopt", SYS_getsockopt },
    { "sendmsg", SYS_sendmsg },
    { "recvmsg", SYS_recvmsg },
    { "fcntl", SYS_fcntl },
    { "socketpair", SYS_socketpair },
    { "epoll_create1", SYS_epoll_create1 },
    { "epoll_ctl", SYS_epoll_ctl },
};

static const int errnos[] = { EPERM, ENOSYS, EACCES, EINVAL };

struct refusal {
    unsigned     number;
    int          error;
    bool         is_late;
    const char * name;
};

static bool refuse(const struct refusal * what)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, what->number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K,
                 SECCOMP_RET_ERRNO | (unsigned) what->error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    };
    struct sock_fprog program = { 4, filter };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Each message is waited for, by a call or by a set. */
static int converse(const struct flow_pair * pair)
{
    fset_t *   set = fset_create();
    fqueue_t * queue = fqueue_create();
    int        turn;

    for (turn = 0; turn < TURNS; turn++) {
        bool by_set = turn >= TURNS / 2;

        if (turn == TURNS / 2 && fset_add(set, pair->fd) != 0)
            return 10;
        if (write_message(pair->fd, 1000, 1) != 1000)
            return 11;
        if (by_set && (fevent(set, queue, NULL) != 1
                       || fqueue_next(queue) != pair->fd))
            return 12;
        if (read_message(pair->fd, 2000, 1) != 1000)
            return 13;
    }
    fqueue_destroy(queue);
    fset_destroy(set);
    return agent_finish(&pair->agent).result == TURNS ? 0 : 14;
}

/* More than a ring holds, so that this end sleeps for room. */
static int crowd(const struct flow_pair * pair)
{
    unsigned turn;

    agent_begin(&pair->agent, agent_messages(AGENT_RECEIVE, pair->peer, MANY,
                                             LARGE, 1));
    for (turn = 0; turn < MANY; turn++)
        if (write_message(pair->fd, LARGE, 1 + turn) != LARGE)
            return 15;
    return agent_finish(&pair->agent).result == MANY ? 0 : 16;
}

/* A flow from the agent, in a loop; of which calls of ours may be refused. */
static int accept_in_loop(const struct agent * client,
                          const char *         name)
{
    facceptor_t * acceptor = facceptor_create();
    struct pollfd one = { facceptor_pollfd(acceptor), POLLIN, 0 };
    int           fd = -EAGAIN;

    agent_begin(client, agent_naming(AGENT_ALLOC, name));
    /* poll itself may be refused. */
    while (fd == -EAGAIN) {
        (void) poll(&one, 1, 100);
        fd = facceptor_take(acceptor, NULL);
    }
    facceptor_destroy(acceptor);
    if (fd < FIRST_FD || agent_finish(client).result < FIRST_FD)
        return 17;
    return flow_dealloc(fd) == 0 ? 0 : 18;
}

static int in_sandbox(void * argument)
{
    const struct refusal * what = argument;
    struct agent           server = agent_start();
    struct flow_pair       pair;
    int                    result;

    if (agent_bind(&server, own_name("jail")) != 0
        || irm_bind_process(getpid(), own_name("ours")) != 0)
        return 1;
    if (!what->is_late && !refuse(what))
        return 77;
    pair.agent = server;
    flow_pair_more(&server, own_name("jail"), NULL, &pair.fd, &pair.peer);
    if (what->is_late && !refuse(what))
        return 77;
    agent_begin(&server, agent_messages(AGENT_ECHO, pair.peer, TURNS, 1000,
                                        1));
    result = converse(&pair);
    if (result == 0)
        result = crowd(&pair);
    if (result == 0)
        result = accept_in_loop(&server, own_name("ours"));
    if (result != 0)
        return result;
    return flow_dealloc(pair.fd) == 0 ? 0 : 3;
}

static int says_its_name(void * argument)
{
    const struct refusal * what = argument;
    const char *           call = what->name;
    struct agent           server = agent_start();
    size_t                 length = strlen(call);
    int                    fd;

    if (agent_bind(&server, own_name("jail")) != 0)
        return 1;
    agent_begin(&server, agent_command(AGENT_ACCEPT, -1));
    if (!refuse(what))
        return 77;
    fd = flow_alloc(own_name("jail"), NULL, NULL);
    if (fd >= 0)
        return 2;
    if (strncmp(flow_last_error(), call, length) == 0
        && flow_last_error()[length] == ':')
        return 0;
    fprintf(stderr, "# %s: %d, %s\n", call, fd, flow_last_error());
    return 3;
}

int main(int     argc,
         char ** argv)
{
    size_t call;
    size_t error;

    conformance_begin(argc, argv);
    for (call = 0; call < sizeof(calls) / sizeof(calls[0]); call++)
        for (error = 0; error < sizeof(errnos) / sizeof(errnos[0]); error++) {
            struct refusal what = { calls[call].number, errnos[error],
                                    error % 2 == 1, calls[call].name };

            CHECK_RESULT(in_child(in_sandbox, &what), 0,
                         "%s refused with %d, %s", calls[call].name,
                         what.error, what.is_late ? "later" : "from the start");
        }
    for (call = 0; call < sizeof(necessary) / sizeof(necessary[0]); call++)
        for (error = 0; error < 2; error++) {
            struct refusal what = { necessary[call].number, errnos[error],
                                    false, necessary[call].name };

            CHECK_RESULT(in_child(says_its_name, &what), 0,
                         "%s refused with %d is named", what.name,
                         what.error);
        }

    return conformance_end();
}
