/*
 * Ouroboros: the constant objects and the prototypes of the public headers
 *
 * Compiled as C and as C++; prints what differs.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <ouroboros/cep.h>
#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/facceptor.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/fstatistics.h>
#include <ouroboros/irm.h>
#include <ouroboros/version.h>

#include <string.h>

#include "checks.h"

/* Another type than the document's does not compile. Nothing is linked. */
typedef struct {
    int      (*alloc)(const char *, qosspec_t *, const struct timespec *);
    int      (*accept)(qosspec_t *, const struct timespec *);
    int      (*join)(const char *, const struct timespec *);
    int      (*dealloc)(int);
    ssize_t  (*write)(int, const void *, size_t);
    ssize_t  (*read)(int, void *, size_t);
    int      (*control)(int, int, ...);
    fset_t * (*set_create)(void);
    void     (*set_destroy)(fset_t *);
    int      (*set_add)(fset_t *, int);
    bool     (*set_has)(const fset_t *, int);
    void     (*set_del)(fset_t *, int);
    fqueue_t * (*queue_create)(void);
    void     (*queue_destroy)(fqueue_t *);
    int      (*queue_next)(fqueue_t *);
    enum fqtype (*queue_type)(fqueue_t *);
    ssize_t  (*event)(fset_t *, fqueue_t *, const struct timespec *);
    int      (*send)(int, const struct conn_info *);
    int      (*receive)(int, struct conn_info *);
} flow_prototypes;

/* Extensions, which the document does not have. */
typedef struct {
    ssize_t  (*writev)(int, const struct iovec *, int);
    ssize_t  (*reserve)(int, void **, size_t);
    ssize_t  (*commit)(int, size_t);
    ssize_t  (*peek)(int, const void **);
    int      (*release)(int);
    int      (*set_poll)(fset_t *);
    int      (*set_want)(fset_t *, int);
    facceptor_t * (*acceptor_create)(void);
    void     (*acceptor_end)(facceptor_t *);
    int      (*acceptor_poll)(facceptor_t *);
    int      (*acceptor_take)(facceptor_t *, qosspec_t *);
    const char * (*meaning)(int);
    const char * (*reason)(void);
    int      (*set_policy)(const char *, enum pol_balance);
    int      (*set_wait)(const char *, const struct timespec *);
    int      (*get_wait)(const char *, struct timespec *);
    ssize_t  (*names_wide)(struct name_list_info **);
    ssize_t  (*bindings)(struct bind_list_info **);
    ssize_t  (*flows)(struct flow_list_info **);
    int      (*destroy_flow)(uint32_t);
    int      (*statistics)(int, struct flow_statistics *, size_t);
} extension_prototypes;

typedef struct {
    pid_t    (*create)(const char *, enum ipcp_type);
    int      (*destroy)(pid_t);
    ssize_t  (*list)(struct ipcp_list_info **);
    int      (*enroll)(pid_t, const char *);
    int      (*bootstrap)(pid_t, const struct ipcp_config *);
    int      (*connect)(pid_t, const char *, const char *, qosspec_t);
    int      (*disconnect)(pid_t, const char *, const char *);
    int      (*bind_program)(const char *, const char *, uint16_t, int,
                             char **);
    int      (*unbind_program)(const char *, const char *);
    int      (*bind_process)(pid_t, const char *);
    int      (*create_name)(struct name_info *);
    int      (*destroy_name)(const char *);
    ssize_t  (*list_names)(struct name_info **);
    int      (*reg_name)(const char *, pid_t);
} management_prototypes;

/* sizeof does not evaluate, so that no library is needed. */
#define SAME_TYPE(prototypes, member, function) \
    STATIC_CHECK(sizeof(((prototypes *) 0)->member = (function)) != 0)

SAME_TYPE(flow_prototypes, alloc, flow_alloc);
SAME_TYPE(flow_prototypes, accept, flow_accept);
SAME_TYPE(flow_prototypes, join, flow_join);
SAME_TYPE(flow_prototypes, dealloc, flow_dealloc);
SAME_TYPE(flow_prototypes, write, flow_write);
SAME_TYPE(flow_prototypes, read, flow_read);
SAME_TYPE(extension_prototypes, writev, flow_writev);
SAME_TYPE(extension_prototypes, writev, flow_readv);
SAME_TYPE(extension_prototypes, reserve, flow_reserve);
SAME_TYPE(extension_prototypes, commit, flow_commit);
SAME_TYPE(extension_prototypes, peek, flow_peek);
SAME_TYPE(extension_prototypes, release, flow_release);
SAME_TYPE(extension_prototypes, set_poll, fset_pollfd);
SAME_TYPE(extension_prototypes, set_want, fset_want);
SAME_TYPE(extension_prototypes, acceptor_create, facceptor_create);
SAME_TYPE(extension_prototypes, acceptor_end, facceptor_destroy);
SAME_TYPE(extension_prototypes, acceptor_end, facceptor_pause);
SAME_TYPE(extension_prototypes, acceptor_poll, facceptor_pollfd);
SAME_TYPE(extension_prototypes, acceptor_take, facceptor_take);
SAME_TYPE(extension_prototypes, meaning, ouroboros_strerror);
SAME_TYPE(extension_prototypes, reason, flow_last_error);
SAME_TYPE(extension_prototypes, reason, irm_last_error);
SAME_TYPE(extension_prototypes, set_policy, irm_set_name_policy);
SAME_TYPE(extension_prototypes, set_wait, irm_set_name_wait);
SAME_TYPE(extension_prototypes, get_wait, irm_get_name_wait);
SAME_TYPE(extension_prototypes, names_wide, irm_list_names_wide);
SAME_TYPE(extension_prototypes, bindings, irm_list_bindings);
SAME_TYPE(extension_prototypes, flows, irm_list_flows);
SAME_TYPE(extension_prototypes, destroy_flow, irm_destroy_flow);
SAME_TYPE(extension_prototypes, statistics, flow_statistics);
SAME_TYPE(flow_prototypes, control, fccntl);
SAME_TYPE(flow_prototypes, set_create, fset_create);
SAME_TYPE(flow_prototypes, set_destroy, fset_destroy);
SAME_TYPE(flow_prototypes, set_destroy, fset_zero);
SAME_TYPE(flow_prototypes, set_add, fset_add);
SAME_TYPE(flow_prototypes, set_has, fset_has);
SAME_TYPE(flow_prototypes, set_del, fset_del);
SAME_TYPE(flow_prototypes, queue_create, fqueue_create);
SAME_TYPE(flow_prototypes, queue_destroy, fqueue_destroy);
SAME_TYPE(flow_prototypes, queue_next, fqueue_next);
SAME_TYPE(flow_prototypes, queue_type, fqueue_type);
SAME_TYPE(flow_prototypes, event, fevent);
SAME_TYPE(flow_prototypes, send, cep_snd);
SAME_TYPE(flow_prototypes, receive, cep_rcv);
SAME_TYPE(management_prototypes, create, irm_create_ipcp);
SAME_TYPE(management_prototypes, destroy, irm_destroy_ipcp);
SAME_TYPE(management_prototypes, list, irm_list_ipcps);
SAME_TYPE(management_prototypes, enroll, irm_enroll_ipcp);
SAME_TYPE(management_prototypes, bootstrap, irm_bootstrap_ipcp);
SAME_TYPE(management_prototypes, connect, irm_connect_ipcp);
SAME_TYPE(management_prototypes, disconnect, irm_disconnect_ipcp);
SAME_TYPE(management_prototypes, bind_program, irm_bind_program);
SAME_TYPE(management_prototypes, unbind_program, irm_unbind_program);
SAME_TYPE(management_prototypes, bind_process, irm_bind_process);
SAME_TYPE(management_prototypes, bind_process, irm_unbind_process);
SAME_TYPE(management_prototypes, create_name, irm_create_name);
SAME_TYPE(management_prototypes, destroy_name, irm_destroy_name);
SAME_TYPE(management_prototypes, list_names, irm_list_names);
SAME_TYPE(management_prototypes, reg_name, irm_reg_name);
SAME_TYPE(management_prototypes, reg_name, irm_unreg_name);

static int is_qos(qosspec_t qos,
                  uint32_t  delay,
                  uint64_t  bandwidth,
                  uint8_t   availability,
                  uint32_t  loss,
                  uint32_t  ber,
                  uint8_t   in_order,
                  uint32_t  max_gap)
{
    return qos.delay == delay && qos.bandwidth == bandwidth
        && qos.availability == availability && qos.loss == loss
        && qos.ber == ber && qos.in_order == in_order
        && qos.max_gap == max_gap && qos.timeout == 120000;
}

static int is_link_state(const struct ls_config * ls)
{
    return ls->pol == LS_SIMPLE && ls->t_recalc == 4 && ls->t_update == 15
        && ls->t_timeo == 60;
}

static int is_transfer(const struct dt_config * dt)
{
    return dt->addr_size == 4 && dt->eid_size == 8 && dt->max_ttl == 60
        && dt->routing.pol == ROUTING_LINK_STATE
        && is_link_state(&dt->routing.ls);
}

static int is_hash_table(const struct dir_dht_config * dht)
{
    return dht->params.alpha == 3 && dht->params.k == 8
        && dht->params.t_expire == 86400 && dht->params.t_refresh == 900
        && dht->params.t_replicate == 900 && dht->peer == 0;
}

static int is_unicast(const struct uni_config * unicast)
{
    return is_transfer(&unicast->dt) && unicast->dir.pol == DIR_DHT
        && is_hash_table(&unicast->dir.dht)
        && unicast->addr_auth_type == ADDR_AUTH_FLAT_RANDOM
        && unicast->cong_avoid == CA_MB_ECN;
}

static int is_layer(const struct ipcp_config * conf,
                    enum ipcp_type             type,
                    enum pol_dir_hash          hash)
{
    return conf->type == type && conf->layer_info.dir_hash_algo == hash
        && conf->layer_info.name[0] == 0;
}

static int is_zero(const void * object,
                   size_t       bytes)
{
    const unsigned char * byte = (const unsigned char *) object;

    while (bytes-- > 0)
        if (*byte++ != 0)
            return 0;

    return 1;
}

static void check_qualities(void)
{
    const uint32_t any = UINT32_MAX;

    CHECK(is_qos(qos_raw, any, 0, 0, 1, 1, 0, any));
    CHECK(is_qos(qos_raw_no_errors, any, 0, 0, 1, 0, 0, any));
    CHECK(is_qos(qos_best_effort, any, 0, 0, 1, 0, 1, any));
    CHECK(is_qos(qos_video, 100, UINT64_MAX, 3, 1, 0, 1, 100));
    CHECK(is_qos(qos_voice, 50, 100000, 5, 1, 0, 1, 50));
    CHECK(is_qos(qos_data, 1000, 0, 0, 0, 0, 1, 2000));
}

static void check_parts(void)
{
    CHECK(is_link_state(&default_ls_config));
    CHECK(default_routing_config.pol == ROUTING_LINK_STATE);
    CHECK(is_link_state(&default_routing_config.ls));
    CHECK(is_transfer(&default_dt_config));
    CHECK(is_hash_table(&default_dht_config));
    CHECK(default_dir_config.pol == DIR_DHT);
    CHECK(is_hash_table(&default_dir_config.dht));
    CHECK(is_unicast(&default_uni_config));
}

static void check_layers(void)
{
    const struct udp4_config * udp4 = &udp4_default_conf.udp4;
    const struct udp6_config * udp6 = &udp6_default_conf.udp6;

    CHECK(is_layer(&local_default_conf, IPCP_LOCAL, DIR_HASH_SHA3_256));
    CHECK(is_layer(&eth_dix_default_conf, IPCP_ETH_DIX, DIR_HASH_SHA3_256));
    CHECK(eth_dix_default_conf.eth.ethertype == 0xA000);
    CHECK(eth_dix_default_conf.eth.dev[0] == 0);
    CHECK(is_layer(&eth_llc_default_conf, IPCP_ETH_LLC, DIR_HASH_SHA3_256));
    CHECK(eth_llc_default_conf.eth.dev[0] == 0);
    CHECK(is_layer(&udp4_default_conf, IPCP_UDP4, (enum pol_dir_hash) 0));
    CHECK(udp4->port == 3435);
    CHECK(is_zero(&udp4->ip_addr, 8));
    CHECK(is_layer(&udp6_default_conf, IPCP_UDP6, (enum pol_dir_hash) 0));
    CHECK(udp6->port == 3435);
    CHECK(is_zero(&udp6->ip_addr, 32));
    CHECK(is_layer(&uni_default_conf, IPCP_UNICAST, DIR_HASH_SHA3_256));
    CHECK(is_unicast(&uni_default_conf.unicast));
    CHECK(is_layer(&bc_default_conf, IPCP_BROADCAST, (enum pol_dir_hash) 0));
    CHECK(is_zero(&bc_default_conf.eth, sizeof(bc_default_conf.eth)));
}

int main(void)
{
    check_qualities();
    check_parts();
    check_layers();

    CHECK(strcmp(OUROBOROS_VERSION_STRING, "0.23.0") == 0);
    CHECK(strcmp(DT_COMP, "Data Transfer") == 0);
    CHECK(strcmp(MGMT_COMP, "Management") == 0);

    printf("%d values, %d differ\n", checks, failures);

    return failures == 0 ? 0 : 1;
}
