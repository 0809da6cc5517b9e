/*
 * Ouroboros: the other end of a conformance program's flows
 *
 * An agent is the same program, started afresh as a process of its own. It
 * executes one command at a time, as the program says over a pipe, and
 * answers over another with what the call returned.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef AGENT_H
#define AGENT_H

#include "conformance.h"

enum agent_operation {
    AGENT_BIND = 1,     /* irm_bind_process(getpid(), name)                 */
    AGENT_ACCEPT,       /* flow_accept(&qos, milliseconds)                  */
    AGENT_ALLOC,        /* flow_alloc(name, &qos or NULL, milliseconds)     */
    AGENT_JOIN,         /* flow_join(name, milliseconds)                    */
    AGENT_DEALLOC,      /* flow_dealloc(fd)                                 */
    AGENT_WRITE,        /* flow_write(fd, message of the seed, size)        */
    AGENT_READ,         /* flow_read(fd, buffer, size); right: the seed's   */
    AGENT_SET_FLAGS,    /* fccntl(fd, FLOWSFLAGS, value)                    */
    AGENT_GET_FLAGS,    /* fccntl(fd, FLOWGFLAGS): the flags                */
    AGENT_SET_RCVTIMEO, /* fccntl(fd, FLOWSRCVTIMEO, milliseconds)          */
    AGENT_SET_SNDTIMEO, /* fccntl(fd, FLOWSSNDTIMEO, milliseconds)          */
    AGENT_WATCH,        /* fset_add(the agent's set, fd)                    */
    AGENT_EVENT,        /* the next event: fd and, as value, its type       */
    AGENT_ECHO,         /* read and write back value messages: how many     */
    AGENT_SEND,         /* write value messages of seeds from seed on       */
    AGENT_RECEIVE,      /* read value messages of seeds from seed on        */
    AGENT_HANDLE,       /* catch SIGUSR1; value: flags of sigaction         */
    AGENT_HANDLED,      /* how often SIGUSR1 came                           */
    AGENT_CREATE_NAME,  /* irm_create_name(name)                            */
    AGENT_DESTROY_NAME, /* irm_destroy_name(name)                           */
    AGENT_FORK_EXIT,    /* fork a child that ends with exit(0); its status  */
    AGENT_FORK_STAY,    /* fork a child that stays; its pid                 */
    AGENT_FLOOD,        /* a thread writes empty messages until it cannot   */
    AGENT_REQUEUE,      /* move who sleeps in what is shared; how many      */
    AGENT_EXIT,         /* answer, then exit(0)                             */
    AGENT_QUIT          /* answer, then _exit(0)                            */
};

struct agent_command {
    enum agent_operation operation;
    int                  fd;
    uint32_t             value;
    unsigned             seed;
    size_t               size;
    int64_t              milliseconds; /* Below zero: no limit. */
    bool                 has_qos;
    qosspec_t            qos;
    char                 name[NAME_SIZE + 1];
};

struct agent_answer {
    long long result;
    uint32_t  value;
    bool      right;  /* What was read is what the seed says.          */
    int64_t   lasted; /* Milliseconds from before the call to after it. */
    qosspec_t qos;
};

/* The result in place of an answer when the agent has died. */
#define AGENT_GONE (-1000000LL)

struct agent {
    pid_t pid;
    int   commands;
    int   answers;
};

/* Start an agent. The program ends if that is not possible. */
struct agent agent_start(void);

/* Close the pipes, which ends it, and wait for that. */
void agent_end(struct agent * agent);

/* Send SIGKILL, wait for the end, close the pipes. */
void agent_kill(struct agent * agent);

/* Execute a command and wait for the answer. */
struct agent_answer agent_call(const struct agent *  agent,
                               struct agent_command command);

/*
 * The same in two steps: the first returns when the agent is about to make
 * the call, agent_sleep when it sleeps in it, agent_finish when it is over.
 */
void agent_begin(const struct agent *  agent,
                 struct agent_command command);

void agent_sleep(const struct agent * agent);

struct agent_answer agent_finish(const struct agent * agent);

/* A command with its most usual arguments; the rest is zero, no time limit. */
struct agent_command agent_command(enum agent_operation operation,
                                   int                  fd);

struct agent_command agent_naming(enum agent_operation operation,
                                  const char *         name);

/* Short forms of agent_call that give the result alone. */
long long agent_bind(const struct agent * agent,
                     const char *         name);

long long agent_accept(const struct agent * agent);

long long agent_on(const struct agent * agent,
                   enum agent_operation operation,
                   int                  fd);

long long agent_write(const struct agent * agent,
                      int                  fd,
                      size_t               size,
                      unsigned             seed);

/* The number of bytes if they are those of the seed; WRONG_BYTES if not. */
long long agent_read(const struct agent * agent,
                     int                  fd,
                     size_t               size,
                     unsigned             seed);

long long agent_set_flags(const struct agent * agent,
                          int                  fd,
                          uint32_t             flags);

/* AGENT_ECHO, _SEND or _RECEIVE: count messages of size bytes. */
struct agent_command agent_messages(enum agent_operation operation,
                                    int                  fd,
                                    uint32_t             count,
                                    size_t               size,
                                    unsigned             seed);

/* The same, called; the result is how many went well. */
long long agent_many(const struct agent * agent,
                     enum agent_operation operation,
                     int                  fd,
                     uint32_t             count,
                     size_t               size,
                     unsigned             seed);

/* A flow from this program to an agent bound to a name of its own. */
struct flow_pair {
    struct agent agent;
    int          fd;    /* Here.          */
    int          peer;  /* At the agent.  */
};

/* Start an agent and allocate; the program ends if that fails. */
struct flow_pair flow_pair_start(const char *      tag,
                                 const qosspec_t * qos);

/* One flow more to an agent that is bound to the name. */
void flow_pair_more(const struct agent * agent,
                    const char *         name,
                    const qosspec_t *    qos,
                    int *                fd,
                    int *                peer);

/* For 5 s, neither end of a flow of a timeout of 2 s has an event. */
void check_no_events(const struct flow_pair * pair);

/* It still carries messages, in both directions. */
void check_still_works(const struct flow_pair * pair);

/* Deallocate here and end the agent. */
void flow_pair_end(struct flow_pair * pair);

/* What AGENT_FLOOD and AGENT_REQUEUE do. */
long long hostile_flood(int fd);

long long hostile_requeue(void);

/* What main of a program started as an agent is. */
int agent_main(int commands,
               int answers);

/* One structure through a pipe; false when the other end has gone. */
bool agent_pass(int          fd,
                const void * object,
                size_t       size);

bool agent_take(int    fd,
                void * object,
                size_t size);

#endif /* AGENT_H */
