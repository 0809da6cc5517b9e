/*
 * Beside the functions of libouroboros-dev: fccntl with one function for each kind of argument, and requests for flows
 * that wait in a thread of their own, for programs that must not wait.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/facceptor.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/fstatistics.h>
#include <ouroboros/version.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int control_time(int               fd,
                        int               command,
                        struct timespec * time)
{
    return fccntl(fd, command, time);
}

static int control_length(int      fd,
                          int      command,
                          size_t * length)
{
    return fccntl(fd, command, length);
}

static int get_qos(int         fd,
                   qosspec_t * qos)
{
    return fccntl(fd, FLOWGQOSSPEC, qos);
}

static int get_name(int    fd,
                    char * name)
{
    return fccntl(fd, FLOWGNAME, name);
}

static int get_peer(int                fd,
                    struct flow_peer * peer)
{
    return fccntl(fd, FLOWGPEER, peer);
}

static int get_flags(int        fd,
                     uint32_t * flags)
{
    return fccntl(fd, FLOWGFLAGS, flags);
}

static int set_flags(int      fd,
                     uint32_t flags)
{
    return fccntl(fd, FLOWSFLAGS, flags);
}

static int get_frct_flags(int        fd,
                          uint16_t * flags)
{
    return fccntl(fd, FRCTGFLAGS, flags);
}

static int set_frct_flags(int      fd,
                          uint16_t flags)
{
    return fccntl(fd, FRCTSFLAGS, flags);
}

/*
 * What these store is there when Python looks at signals, whose handlers may
 * raise before Python has stored what they return.
 */
static int open_alloc(const char *            name,
                      qosspec_t *             qos,
                      const struct timespec * timeout,
                      int *                   opened)
{
    return *opened = flow_alloc(name, qos, timeout);
}

static int open_accept(qosspec_t *             qos,
                       const struct timespec * timeout,
                       int *                   opened)
{
    return *opened = flow_accept(qos, timeout);
}

static int open_join(const char *            layer,
                     const struct timespec * timeout,
                     int *                   opened)
{
    return *opened = flow_join(layer, timeout);
}

static int event_type(fqueue_t * fq)
{
    return (int) fqueue_type(fq);
}

/*
 * Takes the events that are there and stores the flows they are of, each with
 * the types of its events; a flow that comes twice in a row is stored once.
 * There may be more if all places are used.
 */
static int fset_drain(fset_t *   set,
                      fqueue_t * fq,
                      int *      fds,
                      int *      types,
                      int        capacity)
{
    static const struct timespec zero = { 0, 0 };
    int                          count = 0;
    int                          fd;

    while (fevent(set, fq, &zero) == 1)
        while ((fd = fqueue_next(fq)) >= 0) {
            int type = (int) fqueue_type(fq);

            if (count > 0 && fds[count - 1] == fd) {
                types[count - 1] |= type;
                continue;
            }
            fds[count] = fd;
            types[count++] = type;
            if (count == capacity)
                return count;
        }

    return count;
}

enum request_kind {
    REQUEST_ALLOC,
    REQUEST_JOIN
};

/*
 * A socket of ours in a program that owns all numbers: it may close this one,
 * or put something of its own in its place. So it is looked at before its use.
 */
struct guest {
    int   fd;
    dev_t device;
    ino_t inode;
};

/* Numbers from here on do not stand in the way of the program's own. */
enum { GUESTS_BEGIN = 512 };

static struct guest guest_settle(int fd)
{
    struct guest guest = { -1, 0, 0 };
    struct stat  status;
    int          moved = fcntl(fd, F_DUPFD_CLOEXEC, GUESTS_BEGIN);

    if (moved < 0 && fd <= STDERR_FILENO)
        moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved >= 0) {
        close(fd);
        fd = moved;
    }
    if (fstat(fd, &status) == 0) {
        guest.fd = fd;
        guest.device = status.st_dev;
        guest.inode = status.st_ino;
    }
    return guest;
}

static bool guest_is_there(const struct guest * guest)
{
    struct stat status;

    return guest->fd >= 0 && fstat(guest->fd, &status) == 0
        && status.st_dev == guest->device && status.st_ino == guest->inode;
}

static void guest_close(const struct guest * guest)
{
    if (guest_is_there(guest))
        close(guest->fd);
}

/* A flow that somebody waits for without standing still. */
struct request {
    enum request_kind kind;
    char *            name;
    bool              has_qos;
    qosspec_t         qos;
    bool              has_timeout;
    struct timespec   timeout;
    pthread_t         thread;
    pid_t             process;     /* A child of fork does not have thread.  */
    struct guest      done;        /* Readable with the result.              */
    struct guest      finish;      /* Makes it so.                           */
    int               result;
    char              reason[1025]; /* Of flow_last_error.                   */
};

/* The thread runs no Python, so that it can be cancelled where it waits. */
static void * request_run(void * argument)
{
    struct request *  request = argument;
    struct timespec * timeout = request->has_timeout ? &request->timeout : NULL;
    qosspec_t *       qos = request->has_qos ? &request->qos : NULL;
    int               result;
    int               state;

    switch (request->kind) {
    case REQUEST_ALLOC:
        result = flow_alloc(request->name, qos, timeout);
        break;
    default:
        result = flow_join(request->name, timeout);
        break;
    }

    /* From here on there is a result, which must not get lost. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    request->result = result;
    strcpy(request->reason, flow_last_error());
    if (guest_is_there(&request->finish))
        (void) send(request->finish.fd, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return NULL;
}

static void request_free(struct request * request)
{
    guest_close(&request->done);
    guest_close(&request->finish);
    free(request->name);
    free(request);
}

/* NULL: there is no memory, file descriptor or thread left. */
static struct request * request_start(enum request_kind       kind,
                                      const char *            name,
                                      const qosspec_t *       qos,
                                      const struct timespec * timeout)
{
    struct request * request = calloc(1, sizeof(*request));
    sigset_t         all;
    sigset_t         before;
    int              pair[2];
    int              error;

    if (request == NULL)
        return NULL;
    request->done.fd = -1;
    request->finish.fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   pair) == 0) {
        request->done = guest_settle(pair[0]);
        request->finish = guest_settle(pair[1]);
    }
    request->kind = kind;
    request->process = getpid();
    request->result = -ECANCELED;
    request->name = strdup(name);
    request->has_qos = qos != NULL;
    if (qos != NULL)
        request->qos = *qos;
    request->has_timeout = timeout != NULL;
    if (timeout != NULL)
        request->timeout = *timeout;
    if (request->done.fd < 0 || request->finish.fd < 0
        || request->name == NULL) {
        request_free(request);
        return NULL;
    }

    /* Signals are for the threads of the program. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&request->thread, NULL, request_run, request);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        request_free(request);
        return NULL;
    }
    return request;
}

static int request_fileno(const struct request * request)
{
    return request->done.fd;
}

/*
 * Ends a request and frees it. A call that has not returned is cancelled, and
 * may have its flow nevertheless. Returns what the call returned, or
 * -ECANCELED, and stores why it failed in the size bytes of reason.
 */
static int request_finish(struct request * request,
                          char *           reason,
                          size_t           size)
{
    int result = -ECANCELED;

    if (request->process == getpid()) {
        pthread_cancel(request->thread);
        pthread_join(request->thread, NULL);
        result = request->result;
    }
    if (size > 0)
        snprintf(reason, size, "%s", request->reason);
    request_free(request);
    return result;
}

/* Ends a request that nobody waits for any more. */
static void request_abandon(struct request * request)
{
    int fd = request_finish(request, NULL, 0);

    if (fd >= 0)
        flow_dealloc(fd);
}
