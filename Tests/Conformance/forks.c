/*
 * Ouroboros: flows of processes that fork (c-api §10)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <signal.h>

/*
 * flow-memory §5: a flow belongs to the process that allocated it. A child may
 * use what it inherited; its end does not touch the parent's flows (SHOULD);
 * one that allocates or accepts attaches as a process of its own.
 */

static struct flow_pair pair;

static bool works(void)
{
    return write_message(pair.fd, 100, 1) == 100
        && agent_read(&pair.agent, pair.peer, 200, 1) == 100
        && agent_write(&pair.agent, pair.peer, 100, 2) == 100
        && read_message(pair.fd, 200, 2) == 100;
}

static int read_here(void * unused)
{
    (void) unused;
    return read_message(pair.fd, 200, 3) == 100 ? 0 : 1;
}

static int write_here(void * unused)
{
    (void) unused;
    return write_message(pair.fd, 100, 4) == 100 ? 0 : 1;
}

static void check_inherited(void)
{
    MUST(agent_write(&pair.agent, pair.peer, 100, 3) == 100, "a message");
    CHECK_RESULT(in_child(read_here, NULL), 0, "a child reads");
    CHECK_RESULT(in_child(write_here, NULL), 0, "a child writes");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 200, 4), 100,
                 "which the other end reads");
    CHECK(works(), "the parent's flow works after _exit");
}

static int dealloc_here(void * unused)
{
    char byte;

    (void) unused;
    if (flow_dealloc(pair.fd) != 0)
        return 1;
    return flow_read(pair.fd, &byte, 1) == -ENOTALLOC ? 0 : 2;
}

static void check_dealloc(void)
{
    CHECK_RESULT(in_child(dealloc_here, NULL), 0, "a child deallocates");
    CHECK(works(), "the parent's flow works after that");
}

static pid_t fork_with(void (*body)(void))
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(WATCHDOG);
        body();
        _exit(99);
    }

    return pid;
}

static void end_with_exit(void)
{
    exit(0);
}

static void end_with_exec(void)
{
    execlp("true", "true", (char *) NULL);
}

static void end_with_kill(void)
{
    raise(SIGKILL);
}

static void check_ends(void)
{
    CHECK_RESULT(child_result(fork_with(end_with_exit)), 0, "a child exits");
    CHECK(works(), "the parent's flow works after exit");
    CHECK_RESULT(child_result(fork_with(end_with_exec)), 0, "a child execs");
    CHECK(works(), "the parent's flow works after exec");
    CHECK_RESULT(child_result(fork_with(end_with_kill)), -1, "one is killed");
    CHECK(works(), "the parent's flow works after SIGKILL");

    CHECK_RESULT(agent_on(&pair.agent, AGENT_FORK_EXIT, -1), 0,
                 "a child of the other end exits");
    CHECK(works(), "the flow works after that");
}

/* flow_alloc in a child, to the agent that has the parent's flow as well. */
static int allocate_here(void * name)
{
    int fd = flow_alloc(name, NULL, NULL);

    if (fd < FIRST_FD || fd == pair.fd)
        return 1;
    if (write_message(fd, 100, 5) != 100)
        return 2;
    if (read_message(fd, 200, 5) != 100)
        return 3;
    return flow_dealloc(fd) == 0 ? 0 : 4;
}

static void check_alloc(void)
{
    char  name[NAME_SIZE + 1];
    pid_t pid;
    int   peer;

    snprintf(name, sizeof(name), "%s", own_name("alloc"));
    MUST(agent_bind(&pair.agent, name) == 0, "a second name");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(WATCHDOG);
        _exit(allocate_here(name));
    }
    peer = (int) agent_accept(&pair.agent);
    CHECK(peer >= FIRST_FD, "a child allocates a flow");
    CHECK_RESULT(agent_many(&pair.agent, AGENT_ECHO, peer, 1, 0, 0), 1,
                 "the other end echoes on it");
    CHECK_RESULT(child_result(pid), 0, "the child is content");
    CHECK_RESULT(agent_read(&pair.agent, peer, 100, 0), -EFLOWDOWN,
                 "its flow is down");
    agent_on(&pair.agent, AGENT_DEALLOC, peer);
    CHECK(works(), "the parent's flow works");
}

/* SHOULD: the prototype has -EINVAL, its irmd does not know the child. */
static int accept_here(const char * name,
                       int          ready)
{
    int fd;

    if (irm_bind_process(getpid(), name) != 0 || write(ready, "r", 1) != 1)
        return 1;
    fd = flow_accept(NULL, NULL);
    if (fd < FIRST_FD)
        return 2;
    if (read_message(fd, 200, 6) != 100)
        return 3;
    return write_message(fd, 100, 7) == 100 ? 0 : 4;
}

static void check_accept(void)
{
    const char * name = own_name("accept");
    int          ready[2];
    char         byte;
    pid_t        pid;
    int          fd;

    MUST(pipe(ready) == 0, "a pipe");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(WATCHDOG);
        exit(accept_here(name, ready[1]));
    }
    close(ready[1]);
    CHECK_RESULT(read(ready[0], &byte, 1), 1, "a child is bound to a name");
    fd = flow_alloc(name, NULL, NULL);
    CHECK(fd >= FIRST_FD, "its parent allocates a flow to it");
    CHECK_RESULT(write_message(fd, 100, 6), 100, "a message goes");
    CHECK_RESULT(read_message(fd, 200, 7), 100, "one comes back");
    CHECK_RESULT(child_result(pid), 0, "the child is content, and exits");
    CHECK_RESULT(read_message(fd, 200, 0), -EFLOWDOWN, "its flow is down");
    flow_dealloc(fd);
    close(ready[0]);
    CHECK(works(), "the parent's other flow works");
}

/* Parent and child compete for messages: each goes to one of them. */
static int count_messages(void * unused)
{
    int count = 0;

    (void) unused;
    while (flow_read(pair.fd, &(char[200]) { 0 }, 200) == 100)
        count++;

    return count;
}

static void check_competition(void)
{
    pid_t pid;
    int   here;
    int   there;

    fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT | FLOWFRNOBLOCK);
    MUST(agent_many(&pair.agent, AGENT_SEND, pair.peer, 120, 100, 0) == 120,
         "messages go");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(WATCHDOG);
        _exit(count_messages(NULL));
    }
    here = count_messages(NULL);
    there = child_result(pid);
    CHECK_RESULT(here + there, 120, "parent and child read 120 messages (%d, "
                 "%d), each one once", here, there);
    fccntl(pair.fd, FLOWSFLAGS, FLOWFDEFAULT);
    CHECK(works(), "the flow works");
}

/* A child that lives on does not keep its dead parent's flow up. */
static void check_orphan(void)
{
    struct flow_pair other = flow_pair_start("orphan", NULL);
    long long        child = agent_on(&other.agent, AGENT_FORK_STAY, -1);
    char             byte;

    MUST(child > 0, "the other end has a child");
    agent_kill(&other.agent);
    CHECK_RESULT(flow_read(other.fd, &byte, 1), -EFLOWDOWN,
                 "a killed process's flow is down though its child lives");
    kill((pid_t) child, SIGKILL);
    flow_dealloc(other.fd);
}

int main(int     argc,
         char ** argv)
{
    conformance_begin(argc, argv);

    pair = flow_pair_start("forks", NULL);
    check_inherited();
    check_dealloc();
    check_ends();
    check_alloc();
    check_accept();
    check_competition();
    check_orphan();
    CHECK_RESULT(flow_dealloc(pair.fd), 0, "the parent deallocates");
    CHECK_RESULT(agent_read(&pair.agent, pair.peer, 10, 0), -EFLOWDOWN,
                 "which ends the flow");
    agent_end(&pair.agent);

    return conformance_end();
}
