/*
 * What Python sees of libouroboros-dev, and of dev.c.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#define OUROBOROS_VERSION_MAJOR ...
#define OUROBOROS_VERSION_MINOR ...
#define ENOTALLOC ...
#define EIPCPTYPE ...
#define EIRMD ...
#define EIPCP ...
#define EIPCPSTATE ...
#define EFLOWDOWN ...
#define EFLOWPEER ...
#define ENAME ...
#define ECRYPT ...

const char * ouroboros_strerror(int error);

typedef int... time_t;

struct timespec {
    time_t tv_sec;
    long   tv_nsec;
    ...;
};

int     open_alloc(const char * name, qosspec_t * qos, const struct timespec * timeout, int * opened);
int     open_accept(qosspec_t * qos, const struct timespec * timeout, int * opened);
int     open_join(const char * layer, const struct timespec * timeout, int * opened);
const char * flow_last_error(void);
int     flow_dealloc(int fd);
ssize_t flow_write(int fd, const void * buf, size_t count);
ssize_t flow_read(int fd, void * buf, size_t count);

#define FLOWSRCVTIMEO ...
#define FLOWGRCVTIMEO ...
#define FLOWSSNDTIMEO ...
#define FLOWGSNDTIMEO ...
#define FLOWGRXQLEN ...
#define FLOWGTXQLEN ...
#define FLOWGMAXMSG ...
#define FLOWFRDONLY ...
#define FLOWFWRONLY ...
#define FLOWFRDWR ...
#define FLOWFDOWN ...
#define FLOWFRNOBLOCK ...
#define FLOWFWNOBLOCK ...
#define FLOWFNONBLOCK ...
#define FLOWFRNOPART ...
#define FLOWFWNOPART ...
#define FRCTFRTX ...
#define FRCTFRESCNTL ...
#define FRCTFLINGER ...

#define FLOW_NAME_SIZE ...

typedef int... pid_t;
typedef int... uid_t;
typedef int... gid_t;

struct flow_peer {
    int   is_remote;
    pid_t pid;
    uid_t uid;
    gid_t gid;
    char  layer[...];
    char  host[...];
};

int control_time(int fd, int command, struct timespec * time);
int control_length(int fd, int command, size_t * length);
int get_qos(int fd, qosspec_t * qos);
int get_name(int fd, char * name);
int get_peer(int fd, struct flow_peer * peer);
int get_flags(int fd, uint32_t * flags);
int set_flags(int fd, uint32_t flags);
int get_frct_flags(int fd, uint16_t * flags);
int set_frct_flags(int fd, uint16_t flags);

struct flow_statistics {
    uint64_t kind;
    uint64_t ending;
    uint64_t time;
    uint64_t messages_written;
    uint64_t bytes_written;
    uint64_t messages_read;
    uint64_t bytes_read;
    uint64_t messages_unread;
    uint64_t bytes_unread;
    uint64_t packets_unacknowledged;
    uint64_t bytes_unacknowledged;
    uint64_t rtt;
    uint64_t rtt_deviation;
    uint64_t rtt_least;
    uint64_t rto;
    uint64_t window;
    uint64_t in_flight;
    uint64_t rate;
    uint64_t credit_packets;
    uint64_t credit_bytes;
    uint64_t payload;
    uint64_t packets_sent;
    uint64_t packets_received;
    uint64_t control_sent;
    uint64_t lost;
    uint64_t repeated;
    uint64_t spurious;
    uint64_t reductions;
    uint64_t undone;
    uint64_t timeouts;
    uint64_t reordered;
    uint64_t duplicates;
    uint64_t damaged;
    uint64_t refused;
    uint64_t missing;
    ...;
};

int flow_statistics(int fd, struct flow_statistics * st, size_t size);

enum fqtype { FLOW_PKT, FLOW_DOWN, FLOW_UP, FLOW_ALLOC, FLOW_DEALLOC, FLOW_PEER, FLOW_ROOM, ... };

typedef struct flow_set fset_t;
typedef struct fqueue   fqueue_t;

fset_t *   fset_create(void);
void       fset_destroy(fset_t * set);
void       fset_zero(fset_t * set);
int        fset_add(fset_t * set, int fd);
bool       fset_has(const fset_t * set, int fd);
void       fset_del(fset_t * set, int fd);
int        fset_pollfd(fset_t * set);
int        fset_want(fset_t * set, int events);
fqueue_t * fqueue_create(void);
void       fqueue_destroy(fqueue_t * fq);
int        fqueue_next(fqueue_t * fq);
int        event_type(fqueue_t * fq);
ssize_t    fevent(fset_t * set, fqueue_t * fq, const struct timespec * timeo);
int        fset_drain(fset_t * set, fqueue_t * fq, int * fds, int * types, int capacity);

typedef struct flow_acceptor facceptor_t;

facceptor_t * facceptor_create(void);
void          facceptor_destroy(facceptor_t * acceptor);
int           facceptor_pollfd(facceptor_t * acceptor);
int           facceptor_take(facceptor_t * acceptor, qosspec_t * qs);
void          facceptor_pause(facceptor_t * acceptor);

enum request_kind { REQUEST_ALLOC, REQUEST_JOIN, ... };

struct request;

struct request * request_start(enum request_kind kind, const char * name, const qosspec_t * qos,
                               const struct timespec * timeout);
int              request_fileno(const struct request * request);
int              request_finish(struct request * request, char * reason, size_t size);
void             request_abandon(struct request * request);
