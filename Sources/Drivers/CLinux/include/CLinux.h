// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Swift cannot say about Linux: system calls that glibc or its Swift overlay hides, atomic words in
// memory that other processes write, and the one place where a thread sleeps on a flow.
//
// Every function that can fail returns -errno; none sets errno for its caller to read.

#ifndef OUROBOROS_CLINUX_H
#define OUROBOROS_CLINUX_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "datagrams.h"
#include "programs.h"
#include "shared-memory.h"
#include "strangers.h"

// Atomic words in shared memory. The pointers need natural alignment.

static inline uint32_t cl_load32_relaxed(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
static inline uint32_t cl_load32_acquire(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void cl_store32_release(uint32_t *p, uint32_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static inline uint32_t cl_exchange32(uint32_t *p, uint32_t v) { return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); }
/// Does nothing if the word is not `expected`.
static inline void cl_replace32(uint32_t *p, uint32_t expected, uint32_t v) {
    (void)__atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline uint32_t cl_or32(uint32_t *p, uint32_t v) { return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); }
static inline uint32_t cl_and32(uint32_t *p, uint32_t v) { return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST); }
static inline uint32_t cl_add32(uint32_t *p, uint32_t v) { return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); }
static inline uint64_t cl_load64_relaxed(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
static inline uint64_t cl_load64_acquire(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void cl_store64_relaxed(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
static inline void cl_store64_release(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static inline uint64_t cl_exchange64(uint64_t *p, uint64_t v) { return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); }
static inline uint64_t cl_or64(uint64_t *p, uint64_t v) { return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); }
/// Neither the compiler nor the processor moves a memory access across it.
static inline void cl_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
/// The compiler moves no memory access across it; the processor may.
static inline void cl_compiler_fence(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/// Tells the processor that this is a short wait.
static inline void cl_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// A cancellation point for calls that have nothing to wait for: a loop over such a call shall be cancellable too.
static inline void cl_test_cancel(void) { pthread_testcancel(); }

// Futexes on shared memory.

/// Sleeps while *word == expected and *alarm == quiet, until `deadline` (CLOCK_MONOTONIC; NULL = for ever) or a wake-up.
/// The peer has `word` too, and can keep its wake-ups from us (FUTEX_REQUEUE); `alarm` is ours alone, so that whoever
/// learns of the peer's end can always wake us. A cancellation point: when the thread is cancelled here,
/// `cleanup(argument)` runs first. The caller must hold no lock.
/// Returns 0 (woken, or one of the words had changed, or it is time to look again), -ETIMEDOUT, or -EINTR after a signal
/// handler that was installed without SA_RESTART.
int cl_futex_sleep(uint32_t *word, uint32_t expected, uint32_t *alarm, uint32_t quiet, const struct timespec *deadline,
                   void (*cleanup)(void *), void *argument);
/// Wakes everybody who sleeps on the word.
void cl_futex_wake_all(uint32_t *word);

/// Registers this process as a target of cl_membarrier(), and tries it once. 0, or -errno where the kernel refuses.
int cl_membarrier_register(void);
/// Every registered process executes a full memory barrier before this returns. 0 or -errno.
int cl_membarrier(void);

// Locks in memory that processes share, of which each may die at any time.

/// The calling thread's id; 0 until it is asked for.
extern __thread uint32_t cl_own_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));
bool cl_lock_slowly(uint32_t *lock);
/// Whether a process has ended, also if nobody has waited for it yet.
bool cl_has_ended(int32_t process);
/// In a forked child, whose thread has another id than its copy in the parent. `parent` is what `cl_own_process` was
/// there.
void cl_locks_after_fork(int32_t parent);
/// This process in the PID namespace of the process that began the family: getpid(), but in a child that was forked into
/// another namespace, where getpid() may be the parent's number.
int32_t cl_own_process(void);

/// Takes the lock: a word of zeroes, or the id of the thread that holds it. Who waits looks now and then whether that
/// thread lives, and takes the lock of one that does not: then it returns true, and what the lock guards is whatever the
/// dead one left. For what is held for some nanoseconds: a robust mutex does the same in a list of the thread's, at twice
/// the price [18 against 8 ns for both].
__attribute__((warn_unused_result)) static inline bool cl_lock(uint32_t *lock) {
    uint32_t expected = 0;
    if (__builtin_expect(cl_own_thread == 0, 0) ||
        __builtin_expect(!__atomic_compare_exchange_n(lock, &expected, cl_own_thread, false, __ATOMIC_ACQUIRE,
                                                      __ATOMIC_RELAXED), 0))
        return cl_lock_slowly(lock);
    return false;
}
static inline void cl_unlock(uint32_t *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }

// Sockets that carry descriptors.

/// One SEQPACKET message with up to 4 descriptors, which stay open here. Bytes sent or -errno. Never raises SIGPIPE.
ssize_t cl_send_message(int fd, const void *bytes, size_t count, const int *fds, int fd_count, int flags);
/// Bytes of the next message, which stays where it is; 0 also at the end of the connection. -EAGAIN: there is none.
ssize_t cl_next_message(int fd);
/// One message and up to 4 descriptors (close-on-exec). `*fd_count` = how many arrived. Bytes received, 0 at the end
/// of the connection, or -errno; -EMSGSIZE if the message was longer than `capacity`. `*fd_count` is -1 if descriptors
/// were lost because this process can open no more: then none stays open, as on an error. A cancellation point.
ssize_t cl_receive_message(int fd, void *bytes, size_t capacity, int *fds, int *fd_count, int flags);
/// poll() for one descriptor. A cancellation point; when cancelled in it, `cleanup(argument)` runs first. 1 ready,
/// 0 timeout, -EINTR after a signal handler that was installed without SA_RESTART, -ERESTART after another (the caller
/// knows how much time is left), or -errno.
int cl_poll_one(int fd, short events, int timeout_ms, void (*cleanup)(void *), void *argument);
/// Waits for a message or the end of the connection, and leaves it there; a cancellation point like the above.
/// 0, or -EINTR after a signal handler that was installed without SA_RESTART.
int cl_await_message(int fd, void (*cleanup)(void *), void *argument);
/// epoll_wait() until `deadline` (CLOCK_MONOTONIC; NULL = for ever); a cancellation point like the above.
/// Number of events (0 also before the deadline, after a signal handler that was installed with SA_RESTART) or -errno.
int cl_epoll_wait(int epfd, struct epoll_event *events, int capacity, const struct timespec *deadline,
                  void (*cleanup)(void *), void *argument);
/// The same without sleeping. Number of events or -errno.
int cl_epoll_look(int epfd, struct epoll_event *events, int capacity);
int cl_socketpair_seqpacket(int fds[2]);
/// A SEQPACKET socket connected to `path`; never waits. Descriptor or -errno.
int cl_connect(const char *path);
/// The same for a name in an open directory.
int cl_connect_in(int directory, const char *name);
/// A SEQPACKET socket that listens on `path` with permissions `mode`. Descriptor or -errno.
int cl_listen(const char *path, mode_t mode);
/// A SEQPACKET socket that listens at a name in an open directory, with permissions `mode`. Descriptor or -errno.
int cl_listen_in(int directory, const char *name, mode_t mode);
/// Names that are in no file system, but of a network namespace: anybody can take one.
int cl_listen_abstract(const char *name);
int cl_connect_abstract(const char *name);
int cl_accept(int fd);
/// send() and recv(), also where filters of system calls allow sendmsg() and recvmsg() only. -1 with errno.
ssize_t cl_send(int fd, const void *bytes, size_t count, int flags);
ssize_t cl_receive(int fd, void *bytes, size_t count, int flags);
/// Whether the error may be the answer of a filter of system calls, or of a kernel that does not know the call.
bool cl_is_refusal(int error);
/// -errno, and if that says that the call is not allowed here, this thread remembers its name, which is a constant.
int cl_refused(const char *call);
int cl_refused_with(const char *call, int error);
/// The name of the last call that was not allowed to this thread, with its error; NULL: there was none since the last
/// question.
const char *cl_take_refused(int *error);
/// poll() for one descriptor, without waiting.
bool cl_is_ready(int fd, short events);
/// readlink(): bytes, or -1.
ssize_t cl_read_link(const char *path, char *target, size_t capacity);
/// The process at the other end of a Unix socket, as it was when it connected.
int cl_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid);
/// The supplementary groups of the process at the other end; returns how many were stored, or -errno.
int cl_peer_groups(int fd, uint32_t *groups, int capacity);

// Descriptors of a library inside a program that owns all numbers: the program may close ours, or put something of its
// own in their place, at any time. So each is known by what it is, and looked at before it is used. Only descriptors
// with an inode of their own (sockets, memory, files) can be known so; an epoll or eventfd cannot.

struct cl_guest {
    /// -1: none.
    int32_t number;
    uint64_t device, inode;
};
/// All of this process is our program: nobody closes descriptors of ours, and none is looked at before it is used.
void cl_let_guests_stay(void);
bool cl_guests_stay(void);
/// Takes `fd` over and gives it a number out of the program's way, above 2 in any case that the kernel allows. 0, or
/// -errno, and then `fd` stays the caller's.
int cl_guest_settle(int fd, struct cl_guest *guest);
/// Whether the number is still ours.
bool cl_guest_is_there(const struct cl_guest *guest);
/// Closes it if it is still ours.
void cl_guest_close(const struct cl_guest *guest);
/// Sends one byte without waiting. 1, -EBADF if the socket is not ours any more, or another -errno.
ssize_t cl_guest_ring(const struct cl_guest *guest);
/// Takes at most so many messages out of the socket: whoever sends may go on for ever.
void cl_guest_silence(const struct cl_guest *guest, int most);
/// A warning for the system's log. Never waits, and keeps no descriptor.
void cl_guest_report(const char *text);

// Descriptors and processes.

int cl_eventfd(void);
/// A pipe whose ends are not inherited by other programs and never wait. 0 or -errno.
int cl_pipe(int fds[2]);
/// A pipe that another program writes, as it expects, and this one reads without waiting. 0 or -errno.
int cl_output_pipe(int fds[2]);
/// Those of the signals that may come: who was started with SIGHUP, SIGINT or SIGQUIT ignored goes on ignoring it.
int cl_signalfd(const int *signals, int count);
/// Reads one signal number from a signalfd; 0 if none is pending.
int cl_signalfd_read(int fd);
int cl_pidfd_open(int32_t pid);
int cl_pidfd_signal(int pidfd, int signal);
/// To a child that was not reaped yet. 0 or -errno.
int cl_kill(int32_t pid, int signal);
/// Reaps the child, or any one if `pid` is -1; its pid with `*status` set, 0 if none has ended, -errno.
int cl_reap(int32_t pid, int *status);
/// open() with a mode; close-on-exec. Descriptor or -errno.
int cl_open(const char *path, int flags, mode_t mode);
/// Another descriptor of the same, not inherited. Descriptor or -errno.
int cl_duplicate(int fd);
/// To look at a directory, whatever may be read in it.
int cl_open_directory(const char *path);
int cl_open_at(int directory, const char *path, int flags, mode_t mode);
/// Tells what happens to the names in a directory: readable, until `cl_forget_changes`. Descriptor or -errno.
int cl_watch_directory(int directory);
void cl_forget_changes(int watch);
/// Opens something for each of the descriptors 0 to 2 that is closed, so that none of our own gets these numbers: what
/// others write to standard output would go there.
void cl_open_standard_streams(void);
/// Closes `first` and all above it.
void cl_close_from(int first);
/// The first thing that a daemon does. Its standard streams are open, standard input is /dev/null, no other descriptors
/// from `first_foreign` on are; a failed write is an error and no signal; new files have mode 0755 at most; as many
/// descriptors and as long files are allowed as can be. Children get the limits back that were.
void cl_begin_daemon(int first_foreign);
void cl_restore_limits(void);
/// Returns what `body(argument)` returns, which has at least so much stack: the caller's, or that of a thread that the
/// caller waits for, with all signals. Where there are no threads, it has what there is.
int cl_with_stack(size_t bytes, int (*body)(void *), void *argument);
/// Runs `body(argument)` on a thread of its own, without signals, and waits for its end, but not longer than that: then
/// the thread goes on alone. 0, or -errno if there is no thread, and nothing was run.
int cl_aside(size_t stack_bytes, void (*body)(void *), void *argument, uint64_t patience_nanoseconds);
/// From now on the calling thread, and no other, opens files with the rights of this user, and with no capabilities.
/// Needs CAP_SETUID and CAP_SETGID. -errno.
int cl_thread_rights(uint32_t user, uint32_t group, const uint32_t *groups, size_t count);
/// Whether the file is one that the kernel makes up while it is read, as in /proc and /sys.
bool cl_is_made_up(int fd);
/// Closes quietly: what close() says is not worth acting on here.
void cl_close(int fd);
uint64_t cl_monotonic_nanoseconds(void);
uint64_t cl_realtime_nanoseconds(void);
int cl_random(void *bytes, size_t count);
/// A variable of the environment; NULL if the program runs with more rights than its caller.
const char *cl_environment(const char *name);
/// Memory of this machine in bytes; 4 GiB if the kernel does not say.
uint64_t cl_memory_bytes(void);
void cl_sleep_nanoseconds(uint64_t nanoseconds);

/// What a child of ours shall be.
struct cl_child {
    const char *path;
    char *const *argv;
    char *const *envp;
    /// If >= 0, becomes descriptor 3 of the child.
    int channel;
    /// If > 0, becomes its standard input.
    int input;
    /// If > 0, becomes its standard output and error.
    int output;
    /// Change of identity; only root may ask for it.
    bool change_identity;
    uint32_t uid, gid;
    const uint32_t *groups;
    int group_count;
    /// Directory to start in, or NULL.
    const char *directory;
    /// Signal that the child gets when this process dies; 0 = none.
    int death_signal;
    /// A program of a user: gets none of the capabilities, nor the priority, that this process was given.
    bool is_foreign;
    /// Its environment has HOME, LOGNAME, SHELL and USER too, which are looked up in the child, because who is asked may
    /// take long.
    bool has_account;
};
/// Starts a child in a session of its own: all signals at their defaults and unblocked, descriptors 0, 1, 2 (and 3)
/// inherited, all others closed, file mode mask 022, the limits that this process began with. Returns the pid or -errno;
/// `*report` is to be asked, and closed by the caller. `*call` is the one that failed.
int32_t cl_spawn(const struct cl_child *child, int *report, const char **call);
/// What the report of a child says: 0 = its program runs, or it was killed; 1 = nothing yet (it is readable then); or
/// -errno of what failed, with its name, and the child ends.
int cl_spawn_outcome(int report, const char **call);

/// What getopt_long() found; the C names are mutable globals.
static inline const char *cl_option_argument(void) { return optarg; }
static inline int cl_option_index(void) { return optind; }
/// errno of the calling thread.
static inline int cl_errno(void) { return errno; }
static inline bool cl_exited(int status) { return WIFEXITED(status); }
static inline int cl_exit_status(int status) { return WEXITSTATUS(status); }
static inline int cl_termination_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
/// The message of an errno value of the system or of ouroboros/errno.h, positive or negative (thread-safe, never NULL).
/// That of a number that nobody knows is valid until the thread asks again.
const char *cl_error_text(int error);
/// Bytes of a reason, without the NUL.
#define CL_REASON_BYTES 1024
/// Why the last call of this thread failed; empty: it did not. Valid until the next `cl_set_last_reason` of the thread.
const char *cl_last_reason(void);
/// Keeps a reason for `cl_last_reason`, cut if need be.
void cl_set_last_reason(const char *reason);
void cl_syslog(int priority, const char *text);
/// Writes a line. If it may not wait, nothing is written that would not be taken at once. 0 or -errno; `*written` is how
/// much of it went out.
int cl_write_line(int fd, const void *bytes, size_t count, bool may_wait, size_t *written);
/// Hands a line to the service that keeps the system's log; a zero stands behind its bytes. By one thread. 0 or -errno.
int cl_system_log(const void *bytes, size_t count, bool may_wait);
/// How a line of the system's log begins. Returns its length.
size_t cl_system_log_head(char *head, size_t capacity, int priority, const char *name);
/// The time of day, as in RFC 3339, in UTC. Returns its length.
size_t cl_time_text(char *text, size_t capacity);
/// Writes everything to a descriptor, or stops at the first error. 0 or -errno.
int cl_write_all(int fd, const void *bytes, size_t count);
// Command lines and stop signals of the tools.

/// The next option of a command line by getopt_long(3), which prints nothing itself: its `val`, ':' if its argument
/// is missing, '?' if it is unknown, -1 behind the last. `*argument` is the option's argument or NULL, `*word` the
/// index of the word that was looked at. Begin with `*word` 0, between the next two.
int cl_next_option(int argc, char **argv, const char *shorts, const struct option *longs, const char **argument,
                   int *word);
/// getopt_long(3) has one state for the whole process: one command line at a time.
void cl_begin_options(void);
void cl_end_options(void);
/// From now on SIGINT, SIGTERM and SIGHUP do not end the process, but interrupt what waits; a second one ends it. SIGHUP
/// stays ignored if it is.
void cl_catch_stop_signals(void);
/// The signal that asked to stop; 0 = none yet.
int cl_stop_signal(void);
/// As `cl_write_all`, and waits where the descriptor does not.
int cl_write_output(int fd, const void *bytes, size_t count);
/// Columns of a terminal: 0, 1 or 2; 1 for what has no glyph.
int cl_character_width(uint32_t scalar);
/// Tells systemd that the service is ready (or whatever `state` says); nothing if it does not listen.
void cl_notify_service_manager(const char *state);

#endif
