/*
 * Ouroboros: properties of an open flow
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_FCCNTL_H
#define OUROBOROS_FCCNTL_H

#include <ouroboros/cdefs.h>
#include <ouroboros/qos.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <sys/time.h>

/* Access: one of three values within the bits of FLOWFACCMODE. */
#define FLOWFRDONLY 00       /* Only flow_read.                               */
#define FLOWFWRONLY 01       /* Only flow_write; the peer cannot write.       */
#define FLOWFRDWR 02         /* Both.                                         */
#define FLOWFACCMODE 03      /* Mask of the three.                            */
#define FLOWFINVALID 03      /* Both "only" at once: not accepted.            */

/* Flags, each a bit. */
#define FLOWFDOWN 04         /* The flow is down, until the bit is cleared.   */
#define FLOWFRNOBLOCK 01000  /* flow_read does not wait.                      */
#define FLOWFWNOBLOCK 02000  /* flow_write does not wait.                     */
#define FLOWFNONBLOCK 03000  /* Neither waits.                                */
#define FLOWFRNOPART 010000  /* No reading in parts: discard long messages.  */
#define FLOWFWNOPART 020000  /* No writing in parts.                          */

/* What a new flow has: FLOWFRDWR and FLOWFWNOPART. */
#define FLOWFDEFAULT 020002

/* Flags of in-order flows. */
#define FRCTFRTX 1           /* Lost packets are sent again. Not changeable.  */
#define FRCTFRESCNTL 2       /* The receiver limits the sender.               */
#define FRCTFLINGER 4        /* After flow_dealloc, send waiting messages.    */

/* Commands, and the one argument each takes. */
#define FLOWSRCVTIMEO 01     /* const struct timespec *, NULL for no limit    */
#define FLOWGRCVTIMEO 02     /* struct timespec *                             */
#define FLOWSSNDTIMEO 03     /* const struct timespec *, NULL for no limit    */
#define FLOWGSNDTIMEO 04     /* struct timespec *                             */
#define FLOWGQOSSPEC 05      /* qosspec_t *                                   */
#define FLOWSFLAGS 06        /* uint32_t                                      */
#define FLOWGFLAGS 07        /* uint32_t *                                    */
#define FLOWGRXQLEN 010      /* size_t *: messages to be read here            */
#define FLOWGTXQLEN 011      /* size_t *: messages the peer has yet to read   */
#define FRCTSFLAGS 01000     /* uint16_t                                      */
#define FRCTGFLAGS 02000     /* uint16_t *                                    */
/* Commands of this implementation, with numbers that others do not use. */
#define FLOWGNAME 0x4f530001 /* char *, of FLOW_NAME_SIZE bytes               */
#define FLOWGPEER 0x4f530002 /* struct flow_peer *                            */
#define FLOWGMAXMSG 0x4f530003 /* size_t *: bytes of the longest message      */

/* Bytes of a name with the NUL that ends it. */
#define FLOW_NAME_SIZE 256
/* Bytes of the address of a host with the NUL that ends it. */
#define FLOW_HOST_SIZE 128

/* The process at the other end of a flow, as irmd knows it. */
struct flow_peer {
    int   is_remote; /* 0: a process of this host. 1: one of another host.   */
    pid_t pid;       /* Its process, or -1 if it is remote.                  */
    uid_t uid;       /* Its effective user when it asked for the flow or
                        accepted it, or -1.                                  */
    gid_t gid;       /* Its effective group at that time, or -1.             */
    char  layer[FLOW_NAME_SIZE]; /* The layer of the flow; empty: none.      */
    char  host[FLOW_HOST_SIZE];  /* The address and the port of the other
                                    host, as its layer writes them, for
                                    example "10.0.0.2:3435"; empty: unknown,
                                    or the peer is on this host.             */
};

__BEGIN_DECLS

/*
 * Ask for or change a property of the flow fd.
 *
 * FLOWSRCVTIMEO and FLOWSSNDTIMEO set how long flow_read and flow_write wait
 * at most, counted from each call. Zero looks once.
 *
 * FLOWSFLAGS replaces all flags. FLOWFDOWN takes the flow down: calls on the
 * flow return -EFLOWDOWN, and the peer's flow set gets one FLOW_DOWN. Clearing
 * FLOWFDOWN takes the flow up again, and the peer's flow set gets one FLOW_UP.
 * No other change of flags causes an event, and no change brings back a peer
 * that has gone. While one end is FLOWFWRONLY the other end cannot write.
 *
 * FRCTSFLAGS stores FRCTFRESCNTL and FRCTFLINGER as given. FRCTFRTX follows
 * from the quality of service (loss is 0) and cannot be changed. A new flow
 * has all three flags if nothing may be lost, and otherwise FRCTFRESCNTL.
 * Without FRCTFLINGER, flow_dealloc drops what the peer has not got yet.
 * Without FRCTFRESCNTL, a flow that may lose messages drops what the peer or
 * the network does not let it send at once, and flow_write does not wait; a
 * flow that loses nothing is as it was. On a flow inside the host the flags
 * have no effect.
 *
 * FLOWGMAXMSG stores how long a message can be that is written here: longer
 * ones are -EMSGSIZE. It is 16,777,216 bytes inside the host and on flows in
 * order to another host, and one packet of the layer on other flows and to
 * hosts that run the prototype. It does not change while the flow lives.
 *
 * FLOWGNAME stores the name to which the flow was allocated, with a NUL at its
 * end; the name of a flow of flow_join is empty. A server that serves several
 * names learns which name the client asked for.
 *
 * FLOWGPEER stores a description of the other end. irmd vouches for it: the
 * process and its user come from the kernel, the host comes from the layer,
 * and neither end can change them. They describe the time when the flow was
 * made: since then the process may have ended, or may have passed the flow on
 * to a child. The host in a UDP layer is no more certain than the network
 * below, in which addresses can be forged.
 *
 * Returns 0;
 *   -EBADF      fd cannot be a flow: it is not in 0...65,535;
 *   -ENOTALLOC  fd is not an open flow;
 *   -ENOTSUP    cmd is unknown;
 *   -EINVAL     the argument is NULL (only FLOWS*TIMEO allow that), is not an
 *               interval, or is FLOWFINVALID;
 *   -EPERM      FLOWG*TIMEO: no time limit is set. FRCT*: the flow is not
 *               in order.
 */
int fccntl(int fd,
           int cmd,
           ...);

__END_DECLS

#endif /* OUROBOROS_FCCNTL_H */
