/*
 * Ouroboros: IPC processes and the configuration of layers
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef OUROBOROS_IPCP_H
#define OUROBOROS_IPCP_H

#include <ouroboros/cdefs.h>

#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Longest names, in bytes, without NUL. */
#define IPCP_NAME_SIZE 255
#define LAYER_NAME_SIZE 255
#define DEV_NAME_SIZE 255

/* The components of an IPCP that connect to components of a neighbour. */
#define DT_COMP "Data Transfer"
#define MGMT_COMP "Management"

enum ipcp_state {
    IPCP_NULL = 0,
    IPCP_INIT,
    IPCP_BOOT,
    IPCP_BOOTSTRAPPED,
    IPCP_ENROLLED,
    IPCP_OPERATIONAL,
    IPCP_SHUTDOWN
};

/* The order is the one in which irmd looks for a layer that knows a name. */
enum ipcp_type {
    IPCP_LOCAL = 0,
    IPCP_UNICAST,
    IPCP_BROADCAST,
    IPCP_ETH_LLC,
    IPCP_ETH_DIX,
    IPCP_UDP4,
    IPCP_UDP6,
    IPCP_INVALID
};

/* Each *_INVALID is the bound of the valid values. */

/* How addresses are chosen. */
enum pol_addr_auth {
    ADDR_AUTH_FLAT_RANDOM = 0,
    ADDR_AUTH_INVALID
};

/* The paths that routing computes from the link states. */
enum pol_link_state {
    LS_SIMPLE = 0, /* One shortest path.            */
    LS_LFA,        /* With loop-free alternates.    */
    LS_ECMP,       /* All paths of equal cost.      */
    LS_INVALID
};

enum pol_routing {
    ROUTING_LINK_STATE = 0,
    ROUTING_INVALID
};

/* How senders learn of congestion. */
enum pol_cong_avoid {
    CA_NONE = 0,
    CA_MB_ECN,     /* Marks of several bits, set by the nodes on the way. */
    CA_INVALID
};

/* How names are found. */
enum pol_dir {
    DIR_DHT = 0,   /* A distributed hash table. */
    DIR_INVALID
};

/* The hash under which a layer knows a name. */
enum pol_dir_hash {
    DIR_HASH_SHA3_224 = 0,
    DIR_HASH_SHA3_256,
    DIR_HASH_SHA3_384,
    DIR_HASH_SHA3_512,
    DIR_HASH_INVALID
};

/* Bounds of the members of dir_dht_config, both included. */
enum dir_dht_config_limits {
    DHT_ALPHA_MIN       = 1,
    DHT_K_MIN           = 1,
    DHT_T_EXPIRE_MIN    = 10,
    DHT_T_REFRESH_MIN   = 3,
    DHT_T_REPLICATE_MIN = 3,
    DHT_ALPHA_MAX       = 10,
    DHT_K_MAX           = 20,
    DHT_T_EXPIRE_MAX    = 86400,
    DHT_T_REFRESH_MAX   = 3600,
    DHT_T_REPLICATE_MAX = 3600
};

struct ipcp_info {
    enum ipcp_type  type;
    pid_t           pid;
    char            name[IPCP_NAME_SIZE + 1];
    enum ipcp_state state;
};

/* Link-state routing. Times in seconds. */
struct ls_config {
    enum pol_link_state pol;
    time_t              t_recalc; /* Between calculations of the table.    */
    time_t              t_update; /* Between updates sent to neighbours.   */
    time_t              t_timeo;  /* After which a silent link is removed. */
};

static const struct ls_config default_ls_config OUROBOROS_MAYBE_UNUSED = {
    LS_SIMPLE, 4, 15, 60
};

struct routing_config {
    enum pol_routing pol;
    OUROBOROS_EXTENSION union {
        struct ls_config ls;
    };
};

static const struct routing_config default_routing_config
OUROBOROS_MAYBE_UNUSED = {
    ROUTING_LINK_STATE, { { LS_SIMPLE, 4, 15, 60 } }
};

/* Data transfer. */
struct dt_config {
    OUROBOROS_EXTENSION struct {
        uint8_t addr_size; /* Bytes of an address. Only 4 works.             */
        uint8_t eid_size;  /* Bytes of an endpoint identifier. Only 8 works. */
        uint8_t max_ttl;   /* Most hops of a packet.                         */
    };
    struct routing_config routing;
};

static const struct dt_config default_dt_config OUROBOROS_MAYBE_UNUSED = {
    { 4, 8, 60 },
    { ROUTING_LINK_STATE, { { LS_SIMPLE, 4, 15, 60 } } }
};

struct dir_dht_config {
    struct {
        uint32_t alpha;       /* Requests at a time.                      */
        uint32_t k;           /* Copies of an entry.                      */
        uint32_t t_expire;    /* Life of an entry, in seconds.            */
        uint32_t t_refresh;   /* Between checks of contacts, in seconds.  */
        uint32_t t_replicate; /* Between copies of an entry, in seconds.  */
    } params;
    uint64_t peer; /* Address of a member, 0: none. Set by enrolment. */
};

static const struct dir_dht_config default_dht_config OUROBOROS_MAYBE_UNUSED = {
    { 3, 8, 86400, 900, 900 }, 0
};

struct dir_config {
    enum pol_dir pol;
    OUROBOROS_EXTENSION union {
        struct dir_dht_config dht;
    };
};

static const struct dir_config default_dir_config OUROBOROS_MAYBE_UNUSED = {
    DIR_DHT, { { { 3, 8, 86400, 900, 900 }, 0 } }
};

struct uni_config {
    struct dt_config    dt;
    struct dir_config   dir;
    enum pol_addr_auth  addr_auth_type;
    enum pol_cong_avoid cong_avoid;
};

static const struct uni_config default_uni_config OUROBOROS_MAYBE_UNUSED = {
    { { 4, 8, 60 },
      { ROUTING_LINK_STATE, { { LS_SIMPLE, 4, 15, 60 } } } },
    { DIR_DHT, { { { 3, 8, 86400, 900, 900 }, 0 } } },
    ADDR_AUTH_FLAT_RANDOM,
    CA_MB_ECN
};

struct eth_config {
    char     dev[DEV_NAME_SIZE + 1]; /* Name of the interface.           */
    uint16_t ethertype;              /* Host order; only IPCP_ETH_DIX.   */
};

struct udp4_config {
    struct in_addr ip_addr;  /* Own address.                        */
    struct in_addr dns_addr; /* Of the name server, all 0: none.    */
    uint16_t       port;     /* Host order.                         */
};

struct udp6_config {
    struct in6_addr ip_addr;
    struct in6_addr dns_addr;
    uint16_t        port;
};

struct layer_info {
    char              name[LAYER_NAME_SIZE + 1];
    enum pol_dir_hash dir_hash_algo; /* Not used by IPCP_UDP4, IPCP_UDP6. */
};

/* The argument of irm_bootstrap_ipcp; type says which union member is set. */
struct ipcp_config {
    struct layer_info layer_info;
    enum ipcp_type    type;
    OUROBOROS_EXTENSION union {
        struct uni_config  unicast;
        struct udp4_config udp4;
        struct udp6_config udp6;
        struct eth_config  eth;
    };
};

/* A starting point for each type; the layer still needs a name. */

OUROBOROS_EXTENSION
static const struct ipcp_config local_default_conf OUROBOROS_MAYBE_UNUSED = {
    .layer_info = { "", DIR_HASH_SHA3_256 },
    .type       = IPCP_LOCAL,
    .eth        = { "", 0 }
};

OUROBOROS_EXTENSION
static const struct ipcp_config eth_dix_default_conf OUROBOROS_MAYBE_UNUSED = {
    .layer_info = { "", DIR_HASH_SHA3_256 },
    .type       = IPCP_ETH_DIX,
    .eth        = { "", 0xA000 }
};

OUROBOROS_EXTENSION
static const struct ipcp_config eth_llc_default_conf OUROBOROS_MAYBE_UNUSED = {
    .layer_info = { "", DIR_HASH_SHA3_256 },
    .type       = IPCP_ETH_LLC,
    .eth        = { "", 0 }
};

OUROBOROS_EXTENSION
static const struct ipcp_config udp4_default_conf OUROBOROS_MAYBE_UNUSED = {
    .layer_info = { "", DIR_HASH_SHA3_224 },
    .type       = IPCP_UDP4,
    .udp4       = { { 0 }, { 0 }, 3435 }
};

OUROBOROS_EXTENSION
static const struct ipcp_config udp6_default_conf OUROBOROS_MAYBE_UNUSED = {
    .layer_info = { "", DIR_HASH_SHA3_224 },
    .type       = IPCP_UDP6,
    .udp6       = { IN6ADDR_ANY_INIT, IN6ADDR_ANY_INIT, 3435 }
};

OUROBOROS_EXTENSION
static const struct ipcp_config uni_default_conf OUROBOROS_MAYBE_UNUSED = {
    .layer_info = { "", DIR_HASH_SHA3_256 },
    .type       = IPCP_UNICAST,
    .unicast    = {
        { { 4, 8, 60 },
          { ROUTING_LINK_STATE, { { LS_SIMPLE, 4, 15, 60 } } } },
        { DIR_DHT, { { { 3, 8, 86400, 900, 900 }, 0 } } },
        ADDR_AUTH_FLAT_RANDOM,
        CA_MB_ECN
    }
};

OUROBOROS_EXTENSION
static const struct ipcp_config bc_default_conf OUROBOROS_MAYBE_UNUSED = {
    .layer_info = { "", DIR_HASH_SHA3_224 },
    .type       = IPCP_BROADCAST,
    .eth        = { "", 0 }
};

#endif /* OUROBOROS_IPCP_H */
