/*
 * Ouroboros: error numbers in addition to the numbers of the operating system
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_ERRNO_H
#define OUROBOROS_ERRNO_H

/*
 * The functions of this library return a negative error number, for example
 * -EFLOWDOWN. They neither set nor read errno.
 */
#include <errno.h>
#include <ouroboros/cdefs.h>

#define ENOTALLOC 1000  /* The descriptor names no open flow.              */
#define EIPCPTYPE 1001  /* Unknown type of IPCP.                           */
#define EIRMD 1002      /* irmd is not there, or ended during the call.    */
#define EIPCP 1003      /* No IPCP leads to the name, or it refused.       */
#define EIPCPSTATE 1004 /* The target is in the wrong state.               */
#define EFLOWDOWN 1005  /* The flow is down: its other end has gone.       */
#define EFLOWPEER 1006  /* The flow is down: its other end is silent.      */
#define ENAME 1007      /* The name is unknown or not acceptable.          */
#define ECRYPT 1008     /* Key exchange or encryption failed.              */
#ifndef EAUTH
#define EAUTH 1009      /* The other end could not prove its identity.     */
#endif

__BEGIN_DECLS

/*
 * Say what an error number means, in a few words of English. The number is one
 * of the operating system or one of the above, positive or negative.
 *
 * The text is never NULL, and the function is safe in threads. The text of a
 * known number is constant; the text of an unknown number is valid until the
 * thread calls again. Both libraries have this function, and it is the same.
 *
 * flow_last_error and irm_last_error say why a certain call failed;
 * ouroboros-errors(7) lists all errors, their causes and remedies.
 */
const char * ouroboros_strerror(int error);

__END_DECLS

#endif /* OUROBOROS_ERRNO_H */
