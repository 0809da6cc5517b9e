/*
 * Ouroboros: flows
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_DEV_H
#define OUROBOROS_DEV_H

#include <ouroboros/cdefs.h>
#include <ouroboros/qos.h>

#include <stddef.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct timespec; /* Strict C99 hides it; callers without timeouts need none. */

/*
 * A flow is a two-way path for messages between two processes, named by a
 * descriptor: a number from 64 to 65,535 that has nothing to do with the file
 * descriptors of the operating system. The lowest free number is used.
 *
 * Timeouts are intervals. Each function says what NULL and an interval of zero
 * mean. A call never returns -ETIMEDOUT before its time is up.
 *
 * All functions may be called by any number of threads at once, also on the
 * same flow. After fork a child may use the flows it inherited; its exit or
 * flow_dealloc does not end them for the parent. A blocked call returns
 * -EINTR after a signal handler that was installed without SA_RESTART (for
 * details see ouroboros-dev(3)), and -EFLOWDOWN when another thread ends its
 * flow.
 */

__BEGIN_DECLS

/*
 * Allocate a flow to a process that accepts flows for the name dst_name, and
 * wait until that process has accepted. The name must be known to the irmd of
 * this system or to a layer. If no live process serves the name and no program
 * can be started, the call fails at once, or waits for a server if the name
 * has a waiting time ("irm name set NAME wait").
 *
 * qs:    the quality of service that the flow must have; NULL means qos_raw.
 *        If qs is not NULL, its member ber becomes 1 (default builds), and on
 *        success *qs is the quality of the flow.
 * timeo: longest wait. NULL: 20 s. A wait of zero is over at once. The server
 *        never sees a flow whose client gave up.
 *
 * Returns the descriptor;
 *   -EINVAL     dst_name is NULL, or timeo is not an interval;
 *   -ENAME      irmd does not know the name (the empty name and names longer
 *               than NAME_SIZE are never known);
 *   -EIPCP      no IPCP leads to the name, nobody serves it, or the layer
 *               refused;
 *   -ETIMEDOUT  the time is up;
 *   -ECRYPT     key exchange failed, or the server demands encryption;
 *   -EAUTH      the server's certificate is not acceptable;
 *   -EBADF      no descriptor or flow identifier is left;
 *   -EMFILE     the process has no file descriptor left for the time of the
 *               allocation;
 *   -ENOMEM     there is no memory for the flow;
 *   -EIRMD      irmd is not there or went away;
 *   -EINTR      a signal came;
 *   or the negative code with which the server's side refused.
 */
int flow_alloc(const char *            dst_name,
               qosspec_t *             qs,
               const struct timespec * timeo);

/*
 * Wait for a flow to any of the names to which this process, or its program,
 * is bound. A process without a binding may wait; a binding that is made
 * during the wait counts.
 *
 * qs:    if not NULL, on success *qs is the quality that the client asked for
 *        (ber is 1 in default builds).
 * timeo: longest wait. NULL: no limit. Zero looks once.
 *
 * Returns the descriptor;
 *   -EINVAL     timeo is not an interval;
 *   -ETIMEDOUT  the time is up;
 *   -ECRYPT, -EAUTH  as flow_alloc;
 *   -EBADF, -EMFILE, -ENOMEM  as flow_alloc, the client is refused;
 *   -EIRMD      irmd is not there or went away;
 *   -EINTR      a signal came.
 */
int flow_accept(qosspec_t *             qs,
                const struct timespec * timeo);

/*
 * Join the broadcast layer bc, through an IPCP of this system that is enrolled
 * in it. All other members can read what one member writes. Waits as
 * flow_alloc.
 *
 * Returns the descriptor;
 *   -EINVAL     bc is NULL, or timeo is not an interval;
 *   -EIPCP      no IPCP of this system is in a layer of that name;
 *   -ENOTALLOC  the layer is not a broadcast layer;
 *   -ETIMEDOUT, -EBADF, -EMFILE, -ENOMEM, -EIRMD, -EINTR  as flow_alloc.
 */
int flow_join(const char *            bc,
              const struct timespec * timeo);

/*
 * Say why the last flow_alloc, flow_accept, flow_join or facceptor_take of
 * this thread failed, as a sentence for people: in the words of irmd if irmd
 * refused ("/usr/bin/served ended with status 127 before it accepted a flow").
 * The string is empty if that call did not fail (-EAGAIN of facceptor_take is
 * not a failure), or if there was no such call.
 *
 * The string is never NULL, has at most 1,024 bytes, and is safe for a
 * terminal. It is valid until this thread calls one of the four functions
 * again.
 */
const char * flow_last_error(void);

/*
 * End the flow. The other end can still read the messages that it has not read
 * yet. The call does not wait for the other end, whether it reads, is stopped
 * or is dead.
 *
 * Returns 0;
 *   -EINVAL     fd cannot be a flow: it is not in 0...65,535;
 *   -ENOTALLOC  fd is not an open flow, for example in a second call;
 *   -EIRMD      irmd is not there. The descriptor is free nevertheless.
 */
int flow_dealloc(int fd);

/*
 * Send the count bytes at buf as one message.
 *
 * Waits while the flow is full, that is, while the other end leaves too much
 * unread (1 MiB, or one larger message): without limit, or as long as
 * FLOWSSNDTIMEO says, or not at all with FLOWFWNOBLOCK. A count of 0 only
 * tells the other end that this end is alive; the reader does not see it.
 *
 * Returns count;
 *   -EBADF      fd cannot be a flow: it is not in 0...65,535;
 *   -ENOTALLOC  fd is not an open flow;
 *   -EINVAL     buf is NULL and count is not 0;
 *   -EPERM      the flow is FLOWFRDONLY, or the other end FLOWFWRONLY;
 *   -EMSGSIZE   the message is longer than FLOWGMAXMSG of fccntl says:
 *               16,777,216 bytes inside the host and on flows in order, 8,976
 *               or 8,948 bytes on other flows over UDP;
 *   -EAGAIN     the flow is full, and FLOWFWNOBLOCK is set;
 *   -ETIMEDOUT  the flow was full as long as FLOWSSNDTIMEO says;
 *   -EFLOWDOWN  the other end has gone, or FLOWFDOWN is set at either end;
 *   -EFLOWPEER  the other end was silent for the flow's peer timeout;
 *   -EINTR      a signal came, nothing was sent.
 */
ssize_t flow_write(int          fd,
                   const void * buf,
                   size_t       count);

/*
 * Receive a message, or the next part of one, into the count bytes at buf.
 *
 * Waits while there is none: without limit, or as long as FLOWSRCVTIMEO says
 * (zero looks once), or not at all with FLOWFRNOBLOCK.
 *
 * A message that does not fit is delivered in parts, one part for each call. A
 * result smaller than count ends a message; if the last part has exactly count
 * bytes, the next call returns 0 to mark the end. With FLOWFRNOPART there are
 * neither parts nor this 0: a message that does not fit is discarded. A count
 * of 0 returns 0 and does not take a message.
 *
 * Returns the number of bytes;
 *   -EBADF      fd cannot be a flow: it is not in 0...65,535;
 *   -ENOTALLOC  fd is not an open flow;
 *   -EINVAL     buf is NULL and count is not 0;
 *   -EPERM      the flow is FLOWFWRONLY;
 *   -EMSGSIZE   the message did not fit (FLOWFRNOPART) and is lost;
 *   -EAGAIN     there is no message, and FLOWFRNOBLOCK is set;
 *   -ETIMEDOUT  no message came for the time of FLOWSRCVTIMEO;
 *   -EFLOWDOWN  the other end has gone, or FLOWFDOWN is set there, and all its
 *               messages were read; or FLOWFDOWN is set here;
 *   -EFLOWPEER  the other end was silent for the flow's peer timeout, and all
 *               its messages were read;
 *   -ENOMEM     the process can map no more memory; the message waits;
 *   -EINTR      a signal came, nothing was read.
 */
ssize_t flow_read(int    fd,
                  void * buf,
                  size_t count);

/*
 * Extensions: the prototype 0.23 does not have the functions that follow.
 *
 * Messages in pieces. flow_writev sends the count parts, one after the other,
 * as one message; flow_readv receives one message into the count parts, which
 * it fills one after the other. Otherwise they are like flow_write and
 * flow_read with one buffer that is as large as all parts together. A part may
 * be empty.
 *
 * Returns as flow_write and flow_read, and
 *   -EINVAL     parts is NULL and count is not 0, count is not in 0...1024, a
 *               part with bytes is at NULL, or the sum exceeds an ssize_t.
 */
struct iovec;

ssize_t flow_writev(int                  fd,
                    const struct iovec * parts,
                    int                  count);

ssize_t flow_readv(int                  fd,
                   const struct iovec * parts,
                   int                  count);

/*
 * Writing in place. flow_reserve finds room for a message of at most count
 * bytes, waits for room as flow_write does, and stores the address in *buf.
 * flow_commit sends the first count bytes of this place as a message; a count
 * of 0 gives the place back and sends nothing.
 *
 * A flow has one such place at a time. Until the place is committed, no thread
 * and no child of this process can write anything else to the flow. Any thread
 * may commit. The address is valid until then, also if the flow ends. The
 * other end can see and change each byte as soon as it is written there, so do
 * not rely on what you read back.
 *
 * flow_reserve returns count, or as flow_write, or
 *   -EINVAL     buf is NULL;
 *   -EBUSY      a place is reserved already; flow_write returns this as well
 *               until the place is committed.
 *
 * flow_commit returns count;
 *   -EBADF      fd cannot be a flow;
 *   -EINVAL     this process has reserved nothing;
 *   -EMSGSIZE   count is larger than the place, which stays reserved;
 *   -EPERM, -EFLOWDOWN, -EFLOWPEER  as flow_write: the flow was ended, or went
 *               down, meanwhile. The place is given back and nothing was sent.
 */
ssize_t flow_reserve(int    fd,
                     void ** buf,
                     size_t count);

ssize_t flow_commit(int    fd,
                    size_t count);

/*
 * Reading in place. flow_peek waits for a message as flow_read does, and
 * stores its address in *buf; if the message was read in part, the address of
 * the rest. flow_release gives the message back, which then counts as read.
 *
 * A flow shows one message at a time; until the message is released, nothing
 * else can be read from the flow. Any thread may release. The address is valid
 * until then, also if the flow ends. The other end can change the bytes at any
 * time: copy a message before you check it.
 *
 * flow_peek returns the bytes of the message, at least 1, or as flow_read, or
 *   -EINVAL     buf is NULL;
 *   -EBUSY      a message is held already; flow_read returns this as well until
 *               the message is released.
 *
 * flow_release returns 0;
 *   -EBADF      fd cannot be a flow;
 *   -EINVAL     this process holds no message;
 *   -EFLOWDOWN  the flow was ended meanwhile.
 */
ssize_t flow_peek(int           fd,
                  const void ** buf);

int flow_release(int fd);

__END_DECLS

#endif /* OUROBOROS_DEV_H */
