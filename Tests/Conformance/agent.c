/*
 * Ouroboros: the other end of a conformance program's flows
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "agent.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

static uint8_t               buffer[LARGEST];
static fset_t *              set;
static fqueue_t *            queue;
static volatile sig_atomic_t handled;

static void count_signal(int signal_number)
{
    (void) signal_number;
    handled = handled + 1;
}

static int handle_signal(int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = count_signal;
    action.sa_flags = flags;
    return sigaction(SIGUSR1, &action, NULL);
}

static int create_name(const char * name)
{
    struct name_info info;

    memset(&info, 0, sizeof(info));
    snprintf(info.name, sizeof(info.name), "%s", name);
    info.pol_lb = LB_RR;
    return irm_create_name(&info);
}

static long long watch(int fd)
{
    if (set == NULL)
        set = fset_create();
    if (queue == NULL)
        queue = fqueue_create();

    return fset_add(set, fd);
}

static long long next_event(const struct timespec * timeo,
                            uint32_t *              type)
{
    int     fd = fqueue_next(queue);
    ssize_t waited;

    if (fd == -EPERM) {
        waited = fevent(set, queue, timeo);
        if (waited < 0)
            return waited;
        fd = fqueue_next(queue);
    }

    *type = (uint32_t) fqueue_type(queue);
    return fd;
}

/* Messages in sequence; ends at the first that is not as it should be. */
static long long repeat(const struct agent_command * command)
{
    unsigned  seed = command->seed;
    long long count;
    ssize_t   result;

    for (count = 0; count < command->value; count++, seed++) {
        if (command->operation == AGENT_SEND) {
            fill(buffer, command->size, seed);
            result = flow_write(command->fd, buffer, command->size);
            if (result != (ssize_t) command->size)
                break;
            continue;
        }

        result = flow_read(command->fd, buffer, sizeof(buffer));
        if (result < 0)
            break;
        if (command->operation == AGENT_ECHO) {
            if (flow_write(command->fd, buffer, (size_t) result) != result)
                break;
        } else if (result != (ssize_t) command->size
                   || !holds(buffer, command->size, 0, seed)) {
            break;
        }
    }

    return count;
}

static long long use_flow(const struct agent_command * command,
                          const struct timespec *      timeo,
                          struct agent_answer *        answer)
{
    long long result;

    switch (command->operation) {
    case AGENT_DEALLOC:
        return flow_dealloc(command->fd);
    case AGENT_WRITE:
        fill(buffer, command->size <= sizeof(buffer) ? command->size : 0,
             command->seed);
        return flow_write(command->fd, buffer, command->size);
    case AGENT_READ:
        result = flow_read(command->fd, buffer, command->size);
        answer->right = result >= 0
            && holds(buffer, (size_t) result, 0, command->seed);
        return result;
    case AGENT_SET_FLAGS:
        return fccntl(command->fd, FLOWSFLAGS, command->value);
    case AGENT_GET_FLAGS:
        result = fccntl(command->fd, FLOWGFLAGS, &answer->value);
        return result == 0 ? (long long) answer->value : result;
    case AGENT_SET_RCVTIMEO:
        return fccntl(command->fd, FLOWSRCVTIMEO, timeo);
    case AGENT_SET_SNDTIMEO:
        return fccntl(command->fd, FLOWSSNDTIMEO, timeo);
    case AGENT_WATCH:
        return watch(command->fd);
    case AGENT_ECHO:
    case AGENT_SEND:
    case AGENT_RECEIVE:
        return repeat(command);
    default:
        return AGENT_GONE;
    }
}

static long long fork_and_exit(void)
{
    pid_t pid = fork();

    if (pid == 0)
        exit(0);

    return pid < 0 ? -1 : child_result(pid);
}

/* Whoever asked for it kills the child; if that fails the alarm does. */
static long long fork_and_stay(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(WATCHDOG);
        /* Whoever reads the program's output need not wait for it. */
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        for (;;)
            pause();
    }

    return pid;
}

static long long execute(struct agent_command * command,
                         struct agent_answer *  answer)
{
    struct timespec         time;
    const struct timespec * timeo = interval(&time, command->milliseconds);
    qosspec_t *             qos = command->has_qos ? &command->qos : NULL;

    switch (command->operation) {
    case AGENT_BIND:
        return irm_bind_process(getpid(), command->name);
    case AGENT_ACCEPT:
        return flow_accept(&answer->qos, timeo);
    case AGENT_ALLOC:
        return flow_alloc(command->name, qos, timeo);
    case AGENT_JOIN:
        return flow_join(command->name, timeo);
    case AGENT_EVENT:
        return next_event(timeo, &answer->value);
    case AGENT_HANDLE:
        return handle_signal((int) command->value);
    case AGENT_HANDLED:
        return handled;
    case AGENT_CREATE_NAME:
        return create_name(command->name);
    case AGENT_DESTROY_NAME:
        return irm_destroy_name(command->name);
    case AGENT_FORK_EXIT:
        return fork_and_exit();
    case AGENT_FORK_STAY:
        return fork_and_stay();
    case AGENT_FLOOD:
        return hostile_flood(command->fd);
    case AGENT_REQUEUE:
        return hostile_requeue();
    case AGENT_EXIT:
    case AGENT_QUIT:
        return 0;
    default:
        return use_flow(command, timeo, answer);
    }
}

int agent_main(int commands,
               int answers)
{
    struct agent_command command;
    struct agent_answer  answer;
    int64_t              begun;

    /* Neither the program's failure nor its watchdog leaves an agent. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);

    while (agent_take(commands, &command, sizeof(command))) {
        memset(&answer, 0, sizeof(answer));
        if (!agent_pass(answers, &answer, sizeof(answer)))
            return 1;

        begun = now_ms();
        answer.result = execute(&command, &answer);
        answer.lasted = now_ms() - begun;
        if (!agent_pass(answers, &answer, sizeof(answer)))
            return 1;

        if (command.operation == AGENT_EXIT)
            exit(0);
        if (command.operation == AGENT_QUIT)
            _exit(0);
    }

    return 0;
}
