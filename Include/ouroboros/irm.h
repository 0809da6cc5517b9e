/*
 * Ouroboros: management: IPCPs, names and bindings
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_IRM_H
#define OUROBOROS_IRM_H

#include <ouroboros/cdefs.h>
#include <ouroboros/ipcp.h>
#include <ouroboros/name.h>
#include <ouroboros/qos.h>

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct timespec; /* Strict C99 hides it. */

/* One line of irm_list_ipcps. Names longer than 254 bytes are cut. */
struct ipcp_list_info {
    pid_t          pid;
    enum ipcp_type type;
    char           name[NAME_SIZE];
    char           layer[LAYER_NAME_SIZE]; /* "Not enrolled.": no layer.    */
};

/*
 * Each function asks irmd and waits for its answer. Unless it says otherwise
 * it returns 0, or
 *   -EINVAL  an argument is NULL, a name is longer than NAME_SIZE bytes, or a
 *            pid is impossible;
 *   -EIRMD   irmd is not there, or went away before it answered;
 *   -EPERM   irmd refused or failed. Managing the system takes irmd's user,
 *            root, or the group ouroboros.
 */

__BEGIN_DECLS

/*
 * Say why the last irm_ function that this thread called failed, as a sentence
 * for people: in the words of irmd if irmd refused. The string is empty if
 * that function did not fail, or if there was no call yet.
 *
 * The string is never NULL, has at most 1,024 bytes, and is safe for a
 * terminal. It is valid until this thread calls another irm_ function.
 */
const char * irm_last_error(void);

/*
 * Start an IPCP. An IPCP of that name must not exist.
 *
 * Returns 0; irm_list_ipcps has the pid. Errors as above, and
 *   -EIPCPTYPE  the type is unknown, or its daemon is not installed.
 */
pid_t irm_create_ipcp(const char *   name,
                      enum ipcp_type type);

/*
 * End an IPCP. Errors as above; -EPERM also if no IPCP has this pid, and
 * -EINVAL for pids of 0 and less.
 */
int irm_destroy_ipcp(pid_t pid);

/*
 * List all IPCPs, by type and then pid.
 *
 * Returns the number of IPCPs, and sets *ipcps to an array, which the caller
 * frees with free(), or to NULL if there are no IPCPs. Errors as above, and
 *   -ENOMEM  there is no memory for the array.
 */
ssize_t irm_list_ipcps(struct ipcp_list_info ** ipcps);

/*
 * Enrol an IPCP in the layer of the member that serves the name dst. This is
 * the name of an IPCP or of a layer. Errors as above.
 */
int irm_enroll_ipcp(pid_t        pid,
                    const char * dst);

/* Make an IPCP the first member of a new layer. Errors as above. */
int irm_bootstrap_ipcp(pid_t                      pid,
                       const struct ipcp_config * conf);

/*
 * Connect a component (DT_COMP or MGMT_COMP) of an IPCP to the same component
 * of the IPCP dst, over a flow of quality qs. First comes the destination,
 * then the component.
 *
 * Errors as above, and
 *   -EIPCP  no IPCP has this pid, or its type has no connections.
 */
int irm_connect_ipcp(pid_t        pid,
                     const char * dst,
                     const char * component,
                     qosspec_t    qs);

/* End such a connection. Errors as irm_connect_ipcp. */
int irm_disconnect_ipcp(pid_t        pid,
                        const char * dst,
                        const char * component);

/*
 * Let all processes of the program prog that belong to this user or to root
 * accept flows for a name; create the name (LB_SPILL) if it does not exist. A
 * prog with a '/' is a path; the function searches for any other along PATH.
 *
 * opts:  0, or BIND_AUTO: when nobody accepts a flow to the name, irmd starts
 *        the program as the calling user, with the argc strings of argv as
 *        arguments (without the program itself; NULL if argc is 0).
 *
 * Errors as above, -EINVAL also if PATH has an entry that is not absolute, and
 *   -ENOENT  the program was not found, or PATH is unset or empty;
 *   -EPERM   also if the program is not executable, or is bound to the name
 *            already.
 */
int irm_bind_program(const char * prog,
                     const char * name,
                     uint16_t     opts,
                     int          argc,
                     char **      argv);

/*
 * Remove the binding of a program, with its BIND_AUTO. prog is the path of the
 * program, its last part, or a symbolic link. A name of NULL means all names.
 * Errors as above; -EPERM if there was no such binding.
 */
int irm_unbind_program(const char * prog,
                       const char * name);

/*
 * Let a live process accept flows for a name; create the name (LB_SPILL) if it
 * does not exist. Members of the group ouroboros can bind only their own
 * processes. Errors as above; -EPERM also if there is no such process, or if
 * it is bound to the name already.
 */
int irm_bind_process(pid_t        pid,
                     const char * name);

/*
 * Remove the binding of a process. A name of NULL means all names. Errors as
 * above; -EPERM if there was no such binding.
 */
int irm_unbind_process(pid_t        pid,
                       const char * name);

/*
 * Create a name. A name that exists already does not change, and the function
 * returns 0. Errors as above, -EINVAL also for an empty name or an unknown
 * policy, and
 *   -ENOMEM  there is no memory for the name.
 */
int irm_create_name(struct name_info * info);

/*
 * Destroy a name, its bindings and registrations. Its flows continue. Errors
 * as above; -EPERM if the name does not exist.
 */
int irm_destroy_name(const char * name);

/*
 * List all names. Paths in s and c that were not given are empty.
 *
 * Returns as irm_list_ipcps.
 */
ssize_t irm_list_names(struct name_info ** names);

/*
 * Change which of several acceptors of a name gets the next flow.
 *
 * Errors as above, -EINVAL also for an unknown policy, and
 *   -ENAME  the name does not exist.
 */
int irm_set_name_policy(const char *     name,
                        enum pol_balance pol_lb);

/*
 * Change how long a flow to a name waits for a server if nobody serves the
 * name: for the time wait, or as long as its client waits if wait is NULL. A
 * new name has zero: the flow fails at once. A client never waits longer than
 * its own timeout.
 *
 * Errors as above, -EINVAL also if wait is not an interval, and
 *   -ENAME  the name does not exist.
 */
int irm_set_name_wait(const char *            name,
                      const struct timespec * wait);

/*
 * Store in *wait how long a flow to a name waits for a server. For many names
 * irm_list_names_wide is faster.
 *
 * Returns 0, or 1 if the flow waits as long as its client; then *wait does not
 * change. Errors as above, and
 *   -ENAME  the name does not exist.
 */
int irm_get_name_wait(const char *      name,
                      struct timespec * wait);

/* Files of servers, or of clients, of a name; empty if they were not given. */
struct name_list_files {
    const char * enc;
    const char * key;
    const char * crt;
};

/* One line of irm_list_names_wide. The strings are of any length, and end with
   the list. */
struct name_list_info {
    const char *           name;
    enum pol_balance       pol_lb;
    int                    is_patient; /* 1: a flow waits as long as its
                                          client, and wait_ns is 0.          */
    uint64_t               wait_ns;    /* Nanoseconds that a flow waits.     */
    struct name_list_files s;          /* Of servers, which accept flows.    */
    struct name_list_files c;          /* Of clients, which allocate flows.  */
    uint32_t               acceptors;  /* Accepts that wait for a flow.      */
    uint32_t               processes;  /* Live processes that are bound.     */
    uint32_t               programs;   /* Programs that are bound.           */
    int                    opts;       /* 0, or BIND_AUTO: one of the programs
                                          is started when it is needed.      */
    int                    layerc;     /* The number of strings in layers.   */
    const char * const *   layers;     /* The layers with the name, at most
                                          four, followed by NULL.            */
};

/*
 * List all names with their details. Returns as irm_list_bindings.
 */
ssize_t irm_list_names_wide(struct name_list_info ** names);

/* The kinds of bindings. */
enum bind_type {
    BIND_PROGRAM = 0, /* All processes of a program.           */
    BIND_PROCESS,     /* A process.                            */
    BIND_IPCP         /* A process that is an IPCP.            */
};

/* One line of irm_list_bindings. The strings are of any length, and end with
   the list. */
struct bind_list_info {
    const char *         name; /* The name to which it is bound.             */
    enum bind_type       type;
    pid_t                pid;  /* BIND_PROGRAM: 0.                           */
    uid_t                uid;  /* BIND_PROGRAM: whose processes; else -1.    */
    const char *         prog; /* BIND_PROGRAM: its path. BIND_PROCESS: the
                                  last part of it; empty if it is not known.
                                  BIND_IPCP: the name of the IPCP.           */
    int                  opts; /* 0, or BIND_AUTO.                           */
    int                  argc; /* The number of strings in argv.             */
    const char * const * argv; /* Arguments of BIND_AUTO, without the
                                  program, followed by NULL.                 */
};

/*
 * List all bindings, by name, in the order in which the names were created.
 *
 * Returns as irm_list_ipcps. The array and all strings are one piece of
 * memory, which the caller frees with free().
 */
ssize_t irm_list_bindings(struct bind_list_info ** bindings);

/* The state of a flow. */
enum flow_state {
    FLOW_PENDING = 0,  /* Not yet taken by both its ends.    */
    FLOW_ALLOCATED,    /* In use.                            */
    FLOW_DEALLOCATING  /* One end has deallocated the flow, or
                          an operator has ended it.          */
};

/* One side of a flow. The counts come from its processes, and irmd cannot
   check them. */
struct flow_list_side {
    pid_t        pid;            /* The process, or the IPCP if it is remote. */
    const char * prog;           /* The last part of its program's path.      */
    int          is_remote;      /* 1: the process is on another host.        */
    const char * host;           /* Address and port of another host, as its
                                    layer writes them; empty for this host.   */
    uint64_t     packets;        /* Packets that this side sent.              */
    uint64_t     bytes;          /* Their memory: each packet takes 8 bytes
                                    more, rounded up to 64.                   */
    uint64_t     unread_packets; /* Packets that the other side has not read. */
    uint64_t     unread_bytes;   /* Their memory.                             */
};

/* One line of irm_list_flows. */
struct flow_list_info {
    uint32_t              id;     /* Its number within this host.            */
    enum flow_state       state;
    const char *          name;   /* The name to which it was allocated.     */
    const char *          layer;  /* The layer that it belongs to, or empty. */
    uint64_t              age_ms; /* Milliseconds since it was made.         */
    qosspec_t             qs;
    struct flow_list_side client; /* The side that allocated it.             */
    struct flow_list_side server; /* The side that accepted it.              */
};

/*
 * List all flows, by number. Returns as irm_list_bindings.
 */
ssize_t irm_list_flows(struct flow_list_info ** flows);

/*
 * End a flow. Both ends get -EFLOWDOWN when they have read the queued
 * messages. irmd's user and root can end any flow; other managers can end a
 * flow if one of its ends or its name belongs to them. Errors as above, and
 *   -ENOENT  there is no such flow.
 */
int irm_destroy_flow(uint32_t id);

/*
 * Make a name known in the layer of an IPCP.
 *
 * Errors as above, and
 *   -ENAME  the name does not exist;
 *   -EIPCP  no IPCP has this pid.
 */
int irm_reg_name(const char * name,
                 pid_t        pid);

/* Remove a name from the layer of an IPCP. Errors as irm_reg_name. */
int irm_unreg_name(const char * name,
                   pid_t        pid);

__END_DECLS

#endif /* OUROBOROS_IRM_H */
