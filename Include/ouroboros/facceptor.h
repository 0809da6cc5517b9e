/*
 * Ouroboros: accepting flows in an event loop
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_FACCEPTOR_H
#define OUROBOROS_FACCEPTOR_H

#include <ouroboros/cdefs.h>
#include <ouroboros/qos.h>

/*
 * Extension: the prototype 0.23 does not have acceptors.
 *
 * An acceptor is for a program that must not wait. Like flow_accept it takes
 * flows to any of the names to which this process, or its program, is bound.
 * It has a file descriptor for poll, epoll and other event loops, which is
 * readable when there is a flow to take, or an error.
 *
 * The acceptor begins to accept with the first facceptor_pollfd or
 * facceptor_take, like a thread that calls flow_accept again and again. It
 * counts as one acceptor when irmd balances the load of a name. A flow that
 * has arrived waits for this process, and its client waits with it; so take
 * the flow soon, or pause the acceptor.
 *
 * No function here waits, whatever irmd does. Any number of threads may call
 * them at once, except that nobody may use an acceptor that is being
 * destroyed. All acceptors and all calls of flow_accept share the flows of the
 * process.
 *
 * A child of fork does not inherit the request of an acceptor, so it does not
 * take flows of its parent. The child may use its copy of the acceptor: it
 * begins to accept with its own first call, and has another descriptor. After
 * exec there are no acceptors.
 */
struct flow_acceptor;

typedef struct flow_acceptor facceptor_t;

__BEGIN_DECLS

/*
 * Create an acceptor, which does not accept yet. NULL: there is no memory, or
 * the process has 1,024 acceptors.
 */
facceptor_t * facceptor_create(void);

/*
 * Destroy an acceptor, and close its descriptor. A flow that has arrived and
 * has not been taken goes to another acceptor, or waits for one; no flow is
 * lost. Flows that were taken stay open. NULL is ignored.
 */
void facceptor_destroy(facceptor_t * acceptor);

/*
 * Return a file descriptor of the operating system that is readable when
 * facceptor_take may return a flow or an error. It may also be readable when
 * there is neither. When it is readable, call facceptor_take until it returns
 * -EAGAIN. If a loop stops earlier, the descriptor stays readable; a loop that
 * is told only of changes (edge-triggered) is not told again.
 *
 * The descriptor belongs to the acceptor: only facceptor_destroy may close it,
 * which does not wake a thread that polls nothing else. Each call returns the
 * same descriptor, also after irmd was restarted; if the program has closed
 * the descriptor nevertheless, the next call returns another one. A child of
 * fork cannot use the descriptor; it calls this function itself.
 *
 * Returns the file descriptor;
 *   -EINVAL  acceptor is NULL;
 *   -EMFILE  the process has no file descriptors left;
 *   -ENOMEM, -EAGAIN  there is no memory, or no thread, for the acceptor.
 */
int facceptor_pollfd(facceptor_t * acceptor);

/*
 * Take the next flow, without waiting, and continue to accept.
 *
 * qs: if not NULL, on success *qs is the quality that the client asked for
 *     (ber is 1 in default builds).
 *
 * After an error other than -EAGAIN the acceptor continues by itself: it asks
 * irmd again after 2 ms, then at growing intervals, at most 0.5 s. The
 * descriptor becomes readable when there is a flow or another error; if irmd
 * stays away, this is reported only once. flow_last_error says why the call
 * failed.
 *
 * Returns the descriptor;
 *   -EINVAL     acceptor is NULL;
 *   -EAGAIN     there is no flow now;
 *   -EIRMD      irmd is not there or went away, or the program has closed the
 *               library's connection. With another irmd the process has only
 *               the names to which it, or its program, is bound there;
 *   -EMFILE, -EBADF, -ENOMEM  as flow_accept: there is no room for the flow.
 *               After -EMFILE the client continues to wait;
 *   -ECRYPT, -EAUTH  as flow_accept.
 */
int facceptor_take(facceptor_t * acceptor,
                   qosspec_t *   qs);

/*
 * Stop accepting for now: as facceptor_destroy, but the descriptor stays open,
 * and is not readable. The next facceptor_take or facceptor_pollfd begins to
 * accept again. NULL is ignored.
 */
void facceptor_pause(facceptor_t * acceptor);

__END_DECLS

#endif /* OUROBOROS_FACCEPTOR_H */
