/*
 * Ouroboros: two hosts on one machine, as the programs here see them
 *
 * A program runs on host one. What it needs on either host are processes of
 * their own, each with the runtime directory of its host: agents (agent.h),
 * and the same program as a server or a client of many flows.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef HOSTS_H
#define HOSTS_H

#include "../Conformance/agent.h"

#include <netinet/in.h>

enum host { ONE, TWO };

/* What differs between udp4 and udp6: addresses, and the longest message. */
#if TWOHOSTS_FAMILY == 6
#define FAMILY AF_INET6
#define LONGEST 8948
typedef struct sockaddr_in6 address_t;
#define PORT_OF(address)    ((address)->sin6_port)
#define ADDRESS_OF(address) (&(address)->sin6_addr)
#else
#define FAMILY AF_INET
#define LONGEST 8976
typedef struct sockaddr_in address_t;
#define PORT_OF(address)    ((address)->sin_port)
#define ADDRESS_OF(address) (&(address)->sin_addr)
#endif

/* Milliseconds of the peer timeout where an end is waited for. */
#define TIMEOUT 400

/* In place of conformance_begin; servers and clients do not return either. */
void hosts_begin(int     argc,
                 char ** argv);

struct agent agent_at(enum host host);

/*
 * A flow from an agent at one host, or from this program, to the other. The
 * program is bound to one.self, agents at host two to the name given.
 */
struct flow_pair pair_to_two(const char *      name,
                             const qosspec_t * qos);

struct flow_pair pair_from_two(const qosspec_t * qos);

qosspec_t raw_with_timeout(uint32_t milliseconds);

/* Another process of this program. */
struct worker {
    pid_t pid;
    int   input;  /* Its end is its sign to end. */
    int   output; /* Tells that it is ready. */
};

/* Accept flows for the name and echo what comes, until its input ends. */
struct worker server_at(enum host    host,
                        const char * name);

/* Work for a client: each of the threads has so many flows at a time. */
struct work {
    int  threads;
    int  flows;
    int  messages; /* Of each flow; 0: until its input ends. */
    int  rounds;   /* Each allocates the flows again. */
    int  longest;  /* Bytes of the longest message. */
};

struct worker client_at(enum host           host,
                        const char *        name,
                        const struct work * work);

/* The input ends, and so does the worker: its exit status. */
int worker_end(struct worker * worker);

/* Wait for the end of a worker that ends by itself: its exit status. */
int worker_result(struct worker * worker);

/* A number of the member "network" of the one IPCP of a host; -1: none. */
long long network(enum host    host,
                  const char * member);

/* Wait until it is more than the number. */
void wait_for_more(enum host    host,
                   const char * member,
                   long long    number);

/* The process id of the IPCP of a host, and of its irmd; 0: none. */
pid_t ipcp_of(enum host host);

pid_t irmd_of(enum host host);

/* KiB that a process has in memory of its own. */
long memory_of(pid_t pid);

/* An address of the network of the two hosts, at the port of the layer. */
address_t address_of(int number);

/* A socket of an address; its receive calls wait for at most 5 s. */
int socket_at(int number);

#endif /* HOSTS_H */
