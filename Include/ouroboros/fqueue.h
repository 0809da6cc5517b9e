/*
 * Ouroboros: waiting for events of many flows
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_FQUEUE_H
#define OUROBOROS_FQUEUE_H

#include <ouroboros/cdefs.h>

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct timespec; /* Strict C99 hides it; callers without timeouts need none. */

/* What happened to a flow. A process's own doings make no events for it. */
enum fqtype {
    FLOW_PKT = 1,      /* One message came.                                  */
    FLOW_DOWN = 2,     /* The flow was taken down.                           */
    FLOW_UP = 4,       /* The flow was taken up again.                       */
    FLOW_ALLOC = 8,    /* A flow was allocated. Applications do not get it.  */
    FLOW_DEALLOC = 16, /* The other end has gone. Comes once.                */
    FLOW_PEER = 32     /* The other end fell silent for the flow's timeout.
                          Comes once.                                        */
};

/*
 * A flow set is a choice of flows to wait for; a flow is in one set at most.
 * A queue holds the events that a wait has fetched.
 *
 * Each message makes one FLOW_PKT, unless it was read before fevent fetched its
 * event; events are counted, so that none is ever lost. A program that reads
 * one message for each FLOW_PKT never stalls. An empty message makes one, too,
 * and leaves nothing to read: with FLOWFRNOBLOCK that is -EAGAIN.
 */
struct flow_set;
struct fqueue;

typedef struct flow_set fset_t;
typedef struct fqueue   fqueue_t;

__BEGIN_DECLS

/* Create an empty set. NULL: no memory, or the process has 1,024 of them. */
fset_t * fset_create(void);

/* Give up a set. The flows stay open. NULL is ignored. */
void fset_destroy(fset_t * set);

/* Take all flows out of a set. NULL is ignored. */
void fset_zero(fset_t * set);

/*
 * Put a flow into a set. Messages that wait in it make one FLOW_PKT each.
 *
 * Returns 0;
 *   -EINVAL  set is NULL or fd is not an open flow;
 *   -EPERM   the flow is in a set already, in this one or another;
 *   -ENOMEM  there is no memory.
 */
int fset_add(fset_t * set,
             int      fd);

/*
 * Whether the flow is in the set. False for NULL and for what is not an open
 * flow: flow_dealloc takes a flow out of its set.
 */
bool fset_has(const fset_t * set,
              int            fd);

/* Take a flow out of a set. NULL, and a flow that is not in it, are ignored. */
void fset_del(fset_t * set,
              int      fd);

/* Create an empty queue. NULL: no memory. */
fqueue_t * fqueue_create(void);

/* Give up a queue and the events in it. NULL is ignored. */
void fqueue_destroy(fqueue_t * fq);

/*
 * Take the next event from the queue.
 *
 * Returns the descriptor of its flow;
 *   -EINVAL  fq is NULL;
 *   -EPERM   there are no more.
 */
int fqueue_next(fqueue_t * fq);

/*
 * The type of the event that fqueue_next returned last.
 *
 * Returns an enum fqtype, or as a negative number of that type:
 *   -EINVAL  fq is NULL;
 *   -EPERM   fqueue_next has returned none yet.
 */
enum fqtype fqueue_type(fqueue_t * fq);

/*
 * Wait until something happens to a flow of the set, and put the events into
 * the queue. A queue with events left returns at once and gets no new ones.
 * A queue may be used with several sets in turn. The call is a cancellation
 * point.
 *
 * timeo: longest wait. NULL: no limit. Zero looks once.
 *
 * Returns 1 (however many events there are);
 *   -EINVAL     set or fq is NULL, or timeo is no interval;
 *   -ETIMEDOUT  the time is up;
 *   -EMFILE     the process has no file descriptors left for the first wait
 *               with this set;
 *   -EINTR      a signal came.
 */
ssize_t fevent(fset_t *                set,
               fqueue_t *              fq,
               const struct timespec * timeo);

/*
 * Extension: the prototype 0.23 does not have it.
 *
 * A file descriptor of the operating system for poll, epoll and the event
 * loops of others. It is readable when fevent may find events in the set.
 * When it is, call fevent with a timeout of zero, and take the events, until
 * it returns -ETIMEDOUT; only by that it becomes unreadable again.
 *
 * It is the set's: fset_destroy closes it, nobody else may. Each call returns
 * the same. It is not good in a child of fork, which can ask for its own.
 *
 * Returns the file descriptor;
 *   -EINVAL  set is NULL;
 *   -EMFILE  the process has no file descriptors left.
 */
int fset_pollfd(fset_t * set);

__END_DECLS

#endif /* OUROBOROS_FQUEUE_H */
