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
 * Extension: the prototype 0.23 has nothing of this.
 *
 * An acceptor takes the flows to any of the names to which this process, or
 * its program, is bound, as flow_accept does, for a program that must not
 * wait: it has a file descriptor for poll, epoll and the event loops of others,
 * which is readable when there is a flow to take, or an error.
 *
 * The acceptor accepts from the first facceptor_pollfd or facceptor_take on,
 * as a thread would that calls flow_accept again and again. It counts as one
 * acceptor when irmd balances the load of a name. A flow that has come waits
 * for this process, and its client for as long as it was told to; so take it
 * soon, or pause the acceptor.
 *
 * No function here waits, whatever irmd does. All may be called by any number
 * of threads at once, except that nobody may use an acceptor that is being
 * destroyed. Acceptors, flow_accept and those of other threads share the
 * flows of the process.
 *
 * The request of an acceptor is not inherited by a child of fork, which does
 * not take the parent's flows. The child may use its copy of the acceptor: it
 * accepts from its own first call on, with a descriptor of its own. After exec
 * there are no acceptors.
 */
struct flow_acceptor;

typedef struct flow_acceptor facceptor_t;

__BEGIN_DECLS

/*
 * Create an acceptor, which does not accept yet. NULL: no memory, or the
 * process has 1,024 of them.
 */
facceptor_t * facceptor_create(void);

/*
 * Give up an acceptor, and close its descriptor. A flow that had come and was
 * not taken goes to another acceptor, or waits for one; none is lost. Flows
 * that were taken stay open. NULL is ignored.
 */
void facceptor_destroy(facceptor_t * acceptor);

/*
 * A file descriptor of the operating system that is readable when
 * facceptor_take may have a flow or an error. It may be readable for nothing.
 * When it is, call facceptor_take until it returns -EAGAIN; a loop that takes
 * less is told again, unless it is told of changes only (edges).
 *
 * It is the acceptor's: facceptor_destroy closes it, nobody else may. That does
 * not wake a thread that polls nothing else. Each call returns the same, also
 * after irmd was restarted; if the program has closed it nevertheless, another.
 * It is not good in a child of fork, which can ask for its own.
 *
 * Returns the file descriptor;
 *   -EINVAL  acceptor is NULL;
 *   -EMFILE  the process has no file descriptors left;
 *   -ENOMEM, -EAGAIN  there is no memory, or no thread, for the acceptor.
 */
int facceptor_pollfd(facceptor_t * acceptor);

/*
 * Take the next flow, without waiting, and go on accepting.
 *
 * qs: not NULL: on success it holds what the client asked for (ber is 1 in
 *     default builds).
 *
 * After an error other than -EAGAIN the acceptor goes on by itself: it asks
 * irmd again after 2 ms, then ever more seldom, at least every 0.5 s. It
 * makes its descriptor readable when that brings a flow or another error, but
 * an irmd that stays away is told of once. flow_last_error says why it failed.
 *
 * Returns the descriptor;
 *   -EINVAL     acceptor is NULL;
 *   -EAGAIN     there is none now;
 *   -EIRMD      irmd is not there or went away, or the program has closed the
 *               library's connection to it. With another irmd the process
 *               has only the names to which it, or its program, is bound
 *               there;
 *   -EMFILE, -EBADF, -ENOMEM  as flow_accept: there is no room for the flow. Of
 *               -EMFILE the client knows nothing, and waits;
 *   -ECRYPT, -EAUTH  as flow_accept.
 */
int facceptor_take(facceptor_t * acceptor,
                   qosspec_t *   qs);

/*
 * Accept nothing for now: as facceptor_destroy, but the descriptor stays, and
 * is not readable. The next facceptor_take or facceptor_pollfd goes on. NULL
 * is ignored.
 */
void facceptor_pause(facceptor_t * acceptor);

__END_DECLS

#endif /* OUROBOROS_FACCEPTOR_H */
