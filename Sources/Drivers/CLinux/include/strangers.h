// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sockets on which anybody can send: whose process is at the other end, and what to do with descriptors that it sends.
// Each function that can fail returns -errno.

#ifndef OUROBOROS_STRANGERS_H
#define OUROBOROS_STRANGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The most descriptors that one message of a Unix socket carries (SCM_MAX_FD).
#define CL_MESSAGE_DESCRIPTORS 253

/// The kernel refuses messages with descriptors that are sent to this socket, or to one that it accepts: their sender
/// gets EPERM. -ENOPROTOOPT before Linux 6.16.
int cl_refuse_descriptors(int fd);
/// A pidfd of the process that connected the other end of a Unix socket, and of no other that has its number now. -ESRCH
/// if that process has ended; -ENOPROTOOPT before Linux 6.5.
int cl_peer_handle(int fd);
/// The process of a pidfd has ended.
bool cl_is_over(int pidfd);
/// Where there are no pidfds: false if there is no such process, or nobody has waited for it since it ended. `*beginning`:
/// when it began, in ticks since the host did; 0 if `/proc` does not say.
bool cl_process_lives(int32_t process, uint64_t *beginning);
/// Closes a descriptor that somebody else has made: a socket shall not linger.
void cl_close_foreign(int fd);
/// The other end of a socket that is closed later hears of it now.
void cl_end_connection(int fd);
/// One message, without waiting, and all descriptors that came with it, for which `fds` has room. -EMSGSIZE if it is
/// longer than `capacity`; its descriptors come all the same.
ssize_t cl_receive_from_stranger(int fd, void *bytes, size_t capacity, int fds[CL_MESSAGE_DESCRIPTORS], int *fd_count);

#endif
