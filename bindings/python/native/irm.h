/*
 * What Python sees of libouroboros-irm.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#define OUROBOROS_VERSION_MAJOR ...
#define OUROBOROS_VERSION_MINOR ...
#define NAME_SIZE ...
#define NAME_PATH_SIZE ...
#define LAYER_NAME_SIZE ...
#define DEV_NAME_SIZE ...
#define BIND_AUTO ...

typedef int... pid_t;
typedef int... time_t;

struct in_addr {
    uint32_t s_addr;
    ...;
};

struct in6_addr {
    uint8_t s6_addr[16];
    ...;
};

enum ipcp_type {
    IPCP_LOCAL, IPCP_UNICAST, IPCP_BROADCAST, IPCP_ETH_LLC, IPCP_ETH_DIX, IPCP_UDP4, IPCP_UDP6, ...
};
enum pol_addr_auth { ADDR_AUTH_FLAT_RANDOM, ... };
enum pol_link_state { LS_SIMPLE, LS_LFA, LS_ECMP, ... };
enum pol_routing { ROUTING_LINK_STATE, ... };
enum pol_cong_avoid { CA_NONE, CA_MB_ECN, ... };
enum pol_dir { DIR_DHT, ... };
enum pol_dir_hash { DIR_HASH_SHA3_224, DIR_HASH_SHA3_256, DIR_HASH_SHA3_384, DIR_HASH_SHA3_512, ... };
enum pol_balance { LB_RR, LB_SPILL, ... };

struct ls_config {
    enum pol_link_state pol;
    time_t              t_recalc;
    time_t              t_update;
    time_t              t_timeo;
};

struct routing_config {
    enum pol_routing pol;
    struct ls_config ls;
    ...;
};

struct dt_config {
    uint8_t               addr_size;
    uint8_t               eid_size;
    uint8_t               max_ttl;
    struct routing_config routing;
    ...;
};

struct dir_dht_config {
    struct {
        uint32_t alpha;
        uint32_t k;
        uint32_t t_expire;
        uint32_t t_refresh;
        uint32_t t_replicate;
    } params;
    uint64_t peer;
};

struct dir_config {
    enum pol_dir          pol;
    struct dir_dht_config dht;
    ...;
};

struct uni_config {
    struct dt_config    dt;
    struct dir_config   dir;
    enum pol_addr_auth  addr_auth_type;
    enum pol_cong_avoid cong_avoid;
};

struct eth_config {
    char     dev[256];
    uint16_t ethertype;
};

struct udp4_config {
    struct in_addr ip_addr;
    struct in_addr dns_addr;
    uint16_t       port;
};

struct udp6_config {
    struct in6_addr ip_addr;
    struct in6_addr dns_addr;
    uint16_t        port;
};

struct layer_info {
    char              name[256];
    enum pol_dir_hash dir_hash_algo;
};

struct ipcp_config {
    struct layer_info layer_info;
    enum ipcp_type    type;
    struct uni_config  unicast;
    struct udp4_config udp4;
    struct udp6_config udp6;
    struct eth_config  eth;
    ...;
};

struct name_sec_paths {
    char enc[512];
    char key[512];
    char crt[512];
};

struct name_info {
    char                  name[256];
    enum pol_balance      pol_lb;
    struct name_sec_paths s;
    struct name_sec_paths c;
};

struct ipcp_list_info {
    pid_t          pid;
    enum ipcp_type type;
    char           name[255];
    char           layer[255];
};

pid_t   irm_create_ipcp(const char * name, enum ipcp_type type);
int     irm_destroy_ipcp(pid_t pid);
ssize_t irm_list_ipcps(struct ipcp_list_info ** ipcps);
int     irm_enroll_ipcp(pid_t pid, const char * dst);
int     irm_bootstrap_ipcp(pid_t pid, const struct ipcp_config * conf);
int     irm_connect_ipcp(pid_t pid, const char * dst, const char * component, qosspec_t qs);
int     irm_disconnect_ipcp(pid_t pid, const char * dst, const char * component);
int     irm_bind_program(const char * prog, const char * name, uint16_t opts, int argc, char ** argv);
int     irm_unbind_program(const char * prog, const char * name);
int     irm_bind_process(pid_t pid, const char * name);
int     irm_unbind_process(pid_t pid, const char * name);
int     irm_create_name(struct name_info * info);
int     irm_destroy_name(const char * name);
ssize_t irm_list_names(struct name_info ** names);
int     irm_reg_name(const char * name, pid_t pid);
int     irm_unreg_name(const char * name, pid_t pid);
enum bind_type { BIND_PROGRAM, BIND_PROCESS, BIND_IPCP, ... };
enum flow_state { FLOW_PENDING, FLOW_ALLOCATED, FLOW_DEALLOCATING, ... };

typedef int... uid_t;

struct bind_list_info {
    const char *         name;
    enum bind_type       type;
    pid_t                pid;
    uid_t                uid;
    const char *         prog;
    int                  opts;
    int                  argc;
    const char * const * argv;
};

struct flow_list_side {
    pid_t        pid;
    const char * prog;
    int          is_remote;
    const char * host;
    uint64_t     packets;
    uint64_t     bytes;
    uint64_t     unread_packets;
    uint64_t     unread_bytes;
};

struct flow_list_info {
    uint32_t              id;
    enum flow_state       state;
    const char *          name;
    const char *          layer;
    uint64_t              age_ms;
    qosspec_t             qs;
    struct flow_list_side client;
    struct flow_list_side server;
};

struct timespec {
    time_t tv_sec;
    long   tv_nsec;
    ...;
};

struct name_list_files {
    const char * enc;
    const char * key;
    const char * crt;
};

struct name_list_info {
    const char *           name;
    enum pol_balance       pol_lb;
    int                    is_patient;
    uint64_t               wait_ns;
    struct name_list_files s;
    struct name_list_files c;
    uint32_t               acceptors;
    uint32_t               processes;
    uint32_t               programs;
    int                    opts;
    int                    layerc;
    const char * const *   layers;
};

int     irm_set_name_policy(const char * name, enum pol_balance pol_lb);
int     irm_set_name_wait(const char * name, const struct timespec * wait);
int     irm_get_name_wait(const char * name, struct timespec * wait);
ssize_t irm_list_names_wide(struct name_list_info ** names);
ssize_t irm_list_bindings(struct bind_list_info ** bindings);
ssize_t irm_list_flows(struct flow_list_info ** flows);
int     irm_destroy_flow(uint32_t id);
const char * irm_last_error(void);
void    free(void * memory);
