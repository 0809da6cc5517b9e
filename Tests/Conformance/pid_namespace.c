/*
 * Ouroboros: a flow shared with children in another PID namespace (c-api §10)
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#define _GNU_SOURCE

#include "agent.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

/*
 * There the numbers of processes and threads are others, and may be those of
 * other processes outside. What is shared is locked all the same, and what a
 * child leaves locked when it is killed is taken from it.
 */

enum { MESSAGES = 2000, KILLS = 60, SIZE = 400 };

static struct flow_pair pair;

static bool write_file(const char * path,
                       const char * text)
{
    int     fd = open(path, O_WRONLY);
    ssize_t result = fd < 0 ? -1 : write(fd, text, strlen(text));

    if (fd >= 0)
        close(fd);
    return result > 0;
}

/* Rights of our own over namespaces; before there are threads. */
static bool may_have_namespaces(void)
{
    char     map[64];
    unsigned user = geteuid();
    unsigned group = getegid();

    if (user == 0)
        return true;
    if (unshare(CLONE_NEWUSER) < 0)
        return false;
    snprintf(map, sizeof(map), "%u %u 1", user, user);
    write_file("/proc/self/setgroups", "deny");
    if (!write_file("/proc/self/uid_map", map))
        return false;
    snprintf(map, sizeof(map), "%u %u 1", group, group);
    return write_file("/proc/self/gid_map", map);
}

/* The first child of a namespace: all others end with it. */
static pid_t stay(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(WATCHDOG);
        if (getpid() != 1)
            _exit(2);
        for (;;)
            pause();
    }

    return pid;
}

static pid_t write_in_child(int count)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int index;

        signal(SIGALRM, SIG_DFL);
        alarm(WATCHDOG);
        for (index = 0; count < 0 || index < count; index++)
            if (write_message(pair.fd, SIZE, 1) != SIZE)
                _exit(1);
        _exit(getppid() == 0 ? 0 : 3);
    }

    return pid;
}

static int begin_writing[2];

/* Waits for the word: after unshare() there are no more threads. */
static void * write_here(void * unused)
{
    intptr_t count = 0;
    char     word;

    (void) unused;
    if (read(begin_writing[0], &word, 1) != 1)
        return NULL;
    while (count < MESSAGES && write_message(pair.fd, SIZE, 1) == SIZE)
        count++;

    return (void *) count;
}

static void check_together(pthread_t thread)
{
    pid_t  child;
    void * written;
    int    count = 0;

    agent_begin(&pair.agent, agent_messages(AGENT_ECHO, pair.peer,
                                            MESSAGES * 2, SIZE, 1));
    child = write_in_child(MESSAGES);
    MUST(write(begin_writing[1], "!", 1) == 1, "the thread begins");
    while (count < MESSAGES * 2
           && read_message(pair.fd, SIZE * 2, 1) == SIZE)
        count++;
    pthread_join(thread, &written);
    CHECK_RESULT(count, MESSAGES * 2, "all messages of both come back whole");
    CHECK_RESULT(child_result(child), 0, "the child has written its part");
    CHECK_RESULT(agent_finish(&pair.agent).result, MESSAGES * 2,
                 "the peer has seen all");
}

static void check_killed(void)
{
    int index;
    int written = 0;

    MUST(fccntl(pair.fd, FLOWSFLAGS, FLOWFRDWR | FLOWFWNOBLOCK) == 0,
         "writes that do not wait for room");
    for (index = 0; index < KILLS; index++) {
        pid_t   child = write_in_child(-1);
        ssize_t result;

        usleep((useconds_t) (index * 37 % 1000));
        kill(child, SIGKILL);
        child_result(child);
        result = write_message(pair.fd, SIZE, 1);
        written += result == SIZE || result == -EAGAIN;
    }
    CHECK_RESULT(written, KILLS, "after each kill the flow can be written");
}

int main(int     argc,
         char ** argv)
{
    pthread_t thread;
    pid_t     first;

    conformance_begin(argc, argv);
    if (!may_have_namespaces()) {
        note("skipped: namespaces are not allowed to this user here");
        return conformance_end();
    }
    pair = flow_pair_start("namespace", NULL);
    MUST(pipe(begin_writing) == 0
         && pthread_create(&thread, NULL, write_here, NULL) == 0, "a thread");
    if (unshare(CLONE_NEWPID) < 0) {
        note("skipped: PID namespaces are not allowed here");
        return conformance_end();
    }
    first = stay();
    check_together(thread);
    check_killed();
    kill(first, SIGKILL);
    child_result(first);
    flow_pair_end(&pair);

    return conformance_end();
}
