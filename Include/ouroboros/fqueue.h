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

/* What happened to a flow. The actions of a process cause no events in its own
   sets. */
enum fqtype {
    FLOW_PKT = 1,      /* One message came.                                  */
    FLOW_DOWN = 2,     /* The flow was taken down.                           */
    FLOW_UP = 4,       /* The flow was taken up again.                       */
    FLOW_ALLOC = 8,    /* A flow was allocated. Applications do not get it.  */
    FLOW_DEALLOC = 16, /* The other end has gone. Comes once.                */
    FLOW_PEER = 32,    /* The other end fell silent for the flow's timeout.
                          Comes once.                                        */
    FLOW_ROOM = 64     /* Extension: the message that was refused fits. Only
                          of sets that want it (fset_want).                  */
};

/*
 * A flow set contains flows to wait for; a flow is in one set at most. A queue
 * holds the events that a wait has fetched.
 *
 * Each message causes one FLOW_PKT, unless it was read before fevent fetched
 * its event. Events are counted, so no event is lost. A program that reads one
 * message for each FLOW_PKT never stalls. An empty message also causes a
 * FLOW_PKT, and there is nothing to read: with FLOWFRNOBLOCK the read returns
 * -EAGAIN.
 */
struct flow_set;
struct fqueue;

typedef struct flow_set fset_t;
typedef struct fqueue   fqueue_t;

__BEGIN_DECLS

/* Create an empty set. NULL: no memory, or the process has 1,024 sets. */
fset_t * fset_create(void);

/* Destroy a set. The flows stay open. NULL is ignored. */
void fset_destroy(fset_t * set);

/* Take all flows out of a set. NULL is ignored. */
void fset_zero(fset_t * set);

/*
 * Put a flow into a set. Each message that waits causes one FLOW_PKT.
 *
 * Returns 0;
 *   -EINVAL  set is NULL or fd is not an open flow;
 *   -EPERM   the flow is already in this set or in another set;
 *   -ENOMEM  there is no memory.
 */
int fset_add(fset_t * set,
             int      fd);

/*
 * Extension: the prototype 0.23 does not have this function.
 *
 * Say which events the set has beyond those that every set has. events is
 * FLOW_ROOM, or 0, as for a new set.
 *
 * FLOW_ROOM is for a program that writes without waiting. If flow_write,
 * flow_writev or flow_reserve has returned -EAGAIN or -ETIMEDOUT because a
 * message did not fit, one FLOW_ROOM comes when a message of that length fits;
 * of several that did not fit, when the smallest fits. Then the next refusal
 * counts. If the flow ends, FLOW_DEALLOC or FLOW_PEER comes and no FLOW_ROOM.
 * A refusal from before the flow was in the set counts, too.
 *
 * Another thread can take the room before the program writes: then the write
 * is refused again, and another FLOW_ROOM comes.
 *
 * Returns 0;
 *   -EINVAL  set is NULL, or events has anything but FLOW_ROOM.
 */
int fset_want(fset_t * set,
              int      events);

/*
 * Say whether the flow is in the set. False for NULL, and for a number that is
 * not an open flow: flow_dealloc takes a flow out of its set.
 */
bool fset_has(const fset_t * set,
              int            fd);

/* Take a flow out of a set. NULL, and a flow of another set, are ignored. */
void fset_del(fset_t * set,
              int      fd);

/* Create an empty queue. NULL: no memory. */
fqueue_t * fqueue_create(void);

/* Destroy a queue and the events in it. NULL is ignored. */
void fqueue_destroy(fqueue_t * fq);

/*
 * Take the next event from the queue.
 *
 * Returns the descriptor of its flow;
 *   -EINVAL  fq is NULL;
 *   -EPERM   there are no more events.
 */
int fqueue_next(fqueue_t * fq);

/*
 * Return the type of the event that fqueue_next returned last.
 *
 * Returns an enum fqtype, or as a negative number of that type:
 *   -EINVAL  fq is NULL;
 *   -EPERM   fqueue_next has not returned an event yet.
 */
enum fqtype fqueue_type(fqueue_t * fq);

/*
 * Wait until something happens to a flow of the set, and put the events into
 * the queue. If the queue still has events, the call returns at once and
 * fetches nothing. A queue may be used with several sets in turn. The call is
 * a cancellation point.
 *
 * timeo: longest wait. NULL: no limit. Zero looks once.
 *
 * Returns 1 (however many events there are);
 *   -EINVAL     set or fq is NULL, or timeo is not an interval;
 *   -ETIMEDOUT  the time is up;
 *   -EMFILE     the process has no file descriptors left for the first wait
 *               with this set;
 *   -EINTR      a signal came.
 */
ssize_t fevent(fset_t *                set,
               fqueue_t *              fq,
               const struct timespec * timeo);

/*
 * Extension: the prototype 0.23 does not have this function.
 *
 * Return a file descriptor of the operating system for poll, epoll and other
 * event loops. It is readable when fevent may find events in the set. When it
 * is readable, call fevent with a timeout of zero, and take the events, until
 * fevent returns -ETIMEDOUT; only this makes it unreadable again.
 *
 * The descriptor belongs to the set: only fset_destroy may close it. Each call
 * returns the same descriptor. A child of fork cannot use the descriptor; it
 * calls this function itself.
 *
 * Returns the file descriptor;
 *   -EINVAL  set is NULL;
 *   -EMFILE  the process has no file descriptors left.
 */
int fset_pollfd(fset_t * set);

__END_DECLS

#endif /* OUROBOROS_FQUEUE_H */
