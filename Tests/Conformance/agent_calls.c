/*
 * Ouroboros: the other end of a conformance program's flows, as the program
 * sees it
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <fcntl.h>
#include <signal.h>

/* Pipes carry whole structures: they are smaller than PIPE_BUF. */
bool agent_pass(int          fd,
                const void * object,
                size_t       size)
{
    ssize_t result;

    do {
        result = write(fd, object, size);
    } while (result < 0 && errno == EINTR);

    return result == (ssize_t) size;
}

bool agent_take(int    fd,
                void * object,
                size_t size)
{
    ssize_t result;

    do {
        result = read(fd, object, size);
    } while (result < 0 && errno == EINTR);

    return result == (ssize_t) size;
}

struct agent agent_start(void)
{
    struct agent agent;
    int          down[2];
    int          up[2];
    char         texts[2][16];

    MUST(pipe(down) == 0 && pipe(up) == 0, "there are pipes to an agent");
    fcntl(down[1], F_SETFD, FD_CLOEXEC);
    fcntl(up[0], F_SETFD, FD_CLOEXEC);
    snprintf(texts[0], sizeof(texts[0]), "%d", down[0]);
    snprintf(texts[1], sizeof(texts[1]), "%d", up[1]);
    fflush(stdout);

    agent.pid = fork();
    if (agent.pid == 0) {
        execl("/proc/self/exe", "agent", "--agent", texts[0], texts[1],
              (char *) NULL);
        _exit(127);
    }
    MUST(agent.pid > 0, "an agent starts");

    close(down[0]);
    close(up[1]);
    agent.commands = down[1];
    agent.answers = up[0];
    return agent;
}

void agent_end(struct agent * agent)
{
    close(agent->commands);
    close(agent->answers);
    child_result(agent->pid);
}

void agent_kill(struct agent * agent)
{
    kill(agent->pid, SIGKILL);
    agent_end(agent);
}

void agent_begin(const struct agent *  agent,
                 struct agent_command command)
{
    struct agent_answer started;

    MUST(agent_pass(agent->commands, &command, sizeof(command))
         && agent_take(agent->answers, &started, sizeof(started)),
         "the agent takes a command");
}

void agent_sleep(const struct agent * agent)
{
    wait_asleep(agent->pid);
}

struct agent_answer agent_finish(const struct agent * agent)
{
    struct agent_answer answer;

    if (!agent_take(agent->answers, &answer, sizeof(answer))) {
        memset(&answer, 0, sizeof(answer));
        answer.result = AGENT_GONE;
    }

    return answer;
}

struct agent_answer agent_call(const struct agent *  agent,
                               struct agent_command command)
{
    struct agent_answer answer;

    memset(&answer, 0, sizeof(answer));
    answer.result = AGENT_GONE;
    if (!agent_pass(agent->commands, &command, sizeof(command))
        || !agent_take(agent->answers, &answer, sizeof(answer)))
        return answer;

    return agent_finish(agent);
}

struct agent_command agent_command(enum agent_operation operation,
                                   int                  fd)
{
    struct agent_command command;

    memset(&command, 0, sizeof(command));
    command.operation = operation;
    command.fd = fd;
    command.milliseconds = -1;
    return command;
}

struct agent_command agent_naming(enum agent_operation operation,
                                  const char *         name)
{
    struct agent_command command = agent_command(operation, -1);

    snprintf(command.name, sizeof(command.name), "%s", name);
    return command;
}

long long agent_bind(const struct agent * agent,
                     const char *         name)
{
    return agent_call(agent, agent_naming(AGENT_BIND, name)).result;
}

long long agent_accept(const struct agent * agent)
{
    return agent_on(agent, AGENT_ACCEPT, -1);
}

long long agent_on(const struct agent * agent,
                   enum agent_operation operation,
                   int                  fd)
{
    return agent_call(agent, agent_command(operation, fd)).result;
}

long long agent_write(const struct agent * agent,
                      int                  fd,
                      size_t               size,
                      unsigned             seed)
{
    struct agent_command command = agent_command(AGENT_WRITE, fd);

    command.size = size;
    command.seed = seed;
    return agent_call(agent, command).result;
}

long long agent_read(const struct agent * agent,
                     int                  fd,
                     size_t               size,
                     unsigned             seed)
{
    struct agent_command command = agent_command(AGENT_READ, fd);
    struct agent_answer  answer;

    command.size = size;
    command.seed = seed;
    answer = agent_call(agent, command);
    if (answer.result >= 0 && !answer.right)
        return WRONG_BYTES;

    return answer.result;
}

long long agent_set_flags(const struct agent * agent,
                          int                  fd,
                          uint32_t             flags)
{
    struct agent_command command = agent_command(AGENT_SET_FLAGS, fd);

    command.value = flags;
    return agent_call(agent, command).result;
}

struct agent_command agent_messages(enum agent_operation operation,
                                    int                  fd,
                                    uint32_t             count,
                                    size_t               size,
                                    unsigned             seed)
{
    struct agent_command command = agent_command(operation, fd);

    command.value = count;
    command.size = size;
    command.seed = seed;
    return command;
}

long long agent_many(const struct agent * agent,
                     enum agent_operation operation,
                     int                  fd,
                     uint32_t             count,
                     size_t               size,
                     unsigned             seed)
{
    return agent_call(agent, agent_messages(operation, fd, count, size,
                                            seed)).result;
}

struct flow_pair flow_pair_start(const char *      tag,
                                 const qosspec_t * qos)
{
    struct flow_pair pair;
    const char *     name = own_name(tag);

    pair.agent = agent_start();
    MUST(agent_bind(&pair.agent, name) == 0, "an agent is bound to a name");
    flow_pair_more(&pair.agent, name, qos, &pair.fd, &pair.peer);
    return pair;
}

void flow_pair_more(const struct agent * agent,
                    const char *         name,
                    const qosspec_t *    qos,
                    int *                fd,
                    int *                peer)
{
    qosspec_t wish = qos != NULL ? *qos : qos_raw;

    agent_begin(agent, agent_command(AGENT_ACCEPT, -1));
    *fd = flow_alloc(name, qos != NULL ? &wish : NULL, NULL);
    MUST(*fd >= 0, "a flow to an agent is allocated");
    *peer = (int) agent_finish(agent).result;
    MUST(*peer >= 0, "the agent accepts the flow");
}

void check_no_events(const struct flow_pair * pair)
{
    struct agent_command wait = agent_command(AGENT_EVENT, -1);
    struct timespec      long_enough = { 5, 0 };
    fset_t *             set = fset_create();
    fqueue_t *           queue = fqueue_create();

    MUST(fset_add(set, pair->fd) == 0, "the flow is in a set");
    MUST(agent_on(&pair->agent, AGENT_WATCH, pair->peer) == 0,
         "its other end too");
    wait.milliseconds = 5000;
    agent_begin(&pair->agent, wait);
    CHECK_RESULT(fevent(set, queue, &long_enough), -ETIMEDOUT,
                 "an idle flow has no events for 5 s, its timeout being 2 s");
    CHECK_RESULT(agent_finish(&pair->agent).result, -ETIMEDOUT,
                 "nor has its other end");

    fqueue_destroy(queue);
    fset_destroy(set);
}

void check_still_works(const struct flow_pair * pair)
{
    CHECK_RESULT(write_message(pair->fd, 10, 1), 10, "it still works");
    CHECK_RESULT(agent_read(&pair->agent, pair->peer, 100, 1), 10,
                 "in one direction");
    CHECK_RESULT(agent_write(&pair->agent, pair->peer, 10, 2), 10, "and");
    CHECK_RESULT(read_message(pair->fd, 100, 2), 10, "the other");
}

void flow_pair_end(struct flow_pair * pair)
{
    flow_dealloc(pair->fd);
    agent_end(&pair->agent);
}
