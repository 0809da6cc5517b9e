/*
 * Ouroboros: sizes, places and constants of the public headers
 *
 * Compiled as C and as C++. A difference is an error of compilation.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include <ouroboros/cep.h>
#include <ouroboros/dev.h>
#include <ouroboros/errno.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/fstatistics.h>
#include <ouroboros/irm.h>
#include <ouroboros/version.h>

#include "checks.h"

/* The version can be asked for by the preprocessor. */
#if OUROBOROS_VERSION_MAJOR != 0 || OUROBOROS_VERSION_MINOR != 23 \
    || OUROBOROS_VERSION_PATCH != 0
#error "the headers are of another version"
#endif

/* So can whether there is a macro of the name. */
#if !defined(EFLOWDOWN) || !defined(FLOWFRDONLY) || !defined(FRCTFRTX)     \
    || !defined(NAME_SIZE) || !defined(BIND_AUTO) || !defined(DT_COMP)     \
    || !defined(PROTO_FIELD_ABSENT) || !defined(OCEP_BUF_STRLEN)           \
    || !defined(DEFAULT_PEER_TIMEOUT) || !defined(__BEGIN_DECLS)           \
    || !defined(__END_DECLS) || !defined(EAUTH)
#error "a macro is missing"
#endif

STATIC_CHECK(sizeof(OUROBOROS_VERSION_STRING) == sizeof("0.23.0"));

/* errno.h */
VALUE(ENOTALLOC, 1000);
VALUE(EIPCPTYPE, 1001);
VALUE(EIRMD, 1002);
VALUE(EIPCP, 1003);
VALUE(EIPCPSTATE, 1004);
VALUE(EFLOWDOWN, 1005);
VALUE(EFLOWPEER, 1006);
VALUE(ENAME, 1007);
VALUE(ECRYPT, 1008);
#ifdef __linux__
VALUE(EAUTH, 1009);
#endif

/* fstatistics.h */
VALUE(FLOWSTAT_UNKNOWN, 0);
VALUE(FLOWSTAT_INSIDE, 1);
VALUE(FLOWSTAT_RAW, 2);
VALUE(FLOWSTAT_FRCP0, 3);
VALUE(FLOWSTAT_FRCP1, 4);
VALUE(FLOWSTAT_OPEN, 0);
VALUE(FLOWSTAT_CLOSED, 1);
VALUE(FLOWSTAT_DOWN, 2);
VALUE(FLOWSTAT_SILENT, 3);
VALUE(FLOWSTAT_ABORTED, 4);
VALUE(FLOWSTAT_VIOLATED, 5);
VALUE(FLOWSTAT_VAIN, 6);
VALUE(FLOWSTAT_UNDELIVERED, 7);
SIZE(struct flow_statistics, 280);
MEMBER(struct flow_statistics, kind, 0, 8);
MEMBER(struct flow_statistics, ending, 8, 8);
MEMBER(struct flow_statistics, time, 16, 8);
MEMBER(struct flow_statistics, messages_written, 24, 8);
MEMBER(struct flow_statistics, bytes_written, 32, 8);
MEMBER(struct flow_statistics, messages_read, 40, 8);
MEMBER(struct flow_statistics, bytes_read, 48, 8);
MEMBER(struct flow_statistics, messages_unread, 56, 8);
MEMBER(struct flow_statistics, bytes_unread, 64, 8);
MEMBER(struct flow_statistics, packets_unacknowledged, 72, 8);
MEMBER(struct flow_statistics, bytes_unacknowledged, 80, 8);
MEMBER(struct flow_statistics, rtt, 88, 8);
MEMBER(struct flow_statistics, rtt_deviation, 96, 8);
MEMBER(struct flow_statistics, rtt_least, 104, 8);
MEMBER(struct flow_statistics, rto, 112, 8);
MEMBER(struct flow_statistics, window, 120, 8);
MEMBER(struct flow_statistics, in_flight, 128, 8);
MEMBER(struct flow_statistics, rate, 136, 8);
MEMBER(struct flow_statistics, credit_packets, 144, 8);
MEMBER(struct flow_statistics, credit_bytes, 152, 8);
MEMBER(struct flow_statistics, payload, 160, 8);
MEMBER(struct flow_statistics, packets_sent, 168, 8);
MEMBER(struct flow_statistics, packets_received, 176, 8);
MEMBER(struct flow_statistics, control_sent, 184, 8);
MEMBER(struct flow_statistics, lost, 192, 8);
MEMBER(struct flow_statistics, repeated, 200, 8);
MEMBER(struct flow_statistics, spurious, 208, 8);
MEMBER(struct flow_statistics, reductions, 216, 8);
MEMBER(struct flow_statistics, undone, 224, 8);
MEMBER(struct flow_statistics, timeouts, 232, 8);
MEMBER(struct flow_statistics, reordered, 240, 8);
MEMBER(struct flow_statistics, duplicates, 248, 8);
MEMBER(struct flow_statistics, damaged, 256, 8);
MEMBER(struct flow_statistics, refused, 264, 8);
MEMBER(struct flow_statistics, missing, 272, 8);

/* fccntl.h */
VALUE(FLOWGNAME, 0x4f530001);
VALUE(FLOWGPEER, 0x4f530002);
VALUE(FLOWGMAXMSG, 0x4f530003);
VALUE(FLOW_NAME_SIZE, 256);
VALUE(FLOW_HOST_SIZE, 128);
SIZE(struct flow_peer, 400);
MEMBER(struct flow_peer, is_remote, 0, 4);
MEMBER(struct flow_peer, pid, 4, 4);
MEMBER(struct flow_peer, uid, 8, 4);
MEMBER(struct flow_peer, gid, 12, 4);
MEMBER(struct flow_peer, layer, 16, 256);
MEMBER(struct flow_peer, host, 272, 128);
VALUE(FLOWFRDONLY, 0);
VALUE(FLOWFWRONLY, 01);
VALUE(FLOWFRDWR, 02);
VALUE(FLOWFACCMODE, 03);
VALUE(FLOWFDOWN, 04);
VALUE(FLOWFRNOBLOCK, 01000);
VALUE(FLOWFWNOBLOCK, 02000);
VALUE(FLOWFNONBLOCK, 03000);
VALUE(FLOWFRNOPART, 010000);
VALUE(FLOWFWNOPART, 020000);
VALUE(FLOWFDEFAULT, 020002);
VALUE(FLOWFINVALID, 03);
VALUE(FLOWSRCVTIMEO, 1);
VALUE(FLOWGRCVTIMEO, 2);
VALUE(FLOWSSNDTIMEO, 3);
VALUE(FLOWGSNDTIMEO, 4);
VALUE(FLOWGQOSSPEC, 5);
VALUE(FLOWSFLAGS, 6);
VALUE(FLOWGFLAGS, 7);
VALUE(FLOWGRXQLEN, 010);
VALUE(FLOWGTXQLEN, 011);
VALUE(FRCTSFLAGS, 01000);
VALUE(FRCTGFLAGS, 02000);

/* Extensions, which the document does not have. */
VALUE(FLOWGNAME, 0x4f530001);
VALUE(FLOWGPEER, 0x4f530002);
VALUE(FLOWGMAXMSG, 0x4f530003);
VALUE(FLOW_NAME_SIZE, NAME_SIZE + 1);
SIZE(struct flow_peer, 400);
MEMBER(struct flow_peer, is_remote, 0, 4);
MEMBER(struct flow_peer, pid, 4, 4);
MEMBER(struct flow_peer, uid, 8, 4);
MEMBER(struct flow_peer, gid, 12, 4);
MEMBER(struct flow_peer, layer, 16, 256);
MEMBER(struct flow_peer, host, 272, 128);
SIZE(enum bind_type, 4);
SIZE(struct bind_list_info, 48);
MEMBER(struct bind_list_info, name, 0, 8);
MEMBER(struct bind_list_info, type, 8, 4);
MEMBER(struct bind_list_info, pid, 12, 4);
MEMBER(struct bind_list_info, uid, 16, 4);
MEMBER(struct bind_list_info, prog, 24, 8);
MEMBER(struct bind_list_info, opts, 32, 4);
MEMBER(struct bind_list_info, argc, 36, 4);
MEMBER(struct bind_list_info, argv, 40, 8);
SIZE(enum flow_state, 4);
SIZE(struct flow_list_side, 64);
SIZE(struct flow_list_info, 200);
MEMBER(struct flow_list_info, name, 8, 8);
MEMBER(struct flow_list_info, age_ms, 24, 8);
MEMBER(struct flow_list_info, qs, 32, 40);
MEMBER(struct flow_list_info, client, 72, 64);
MEMBER(struct flow_list_info, server, 136, 64);
VALUE(FRCTFRTX, 1);
VALUE(FRCTFRESCNTL, 2);
VALUE(FRCTFLINGER, 4);

/* fqueue.h */
SIZE(enum fqtype, 4);
VALUE(FLOW_PKT, 1);
VALUE(FLOW_DOWN, 2);
VALUE(FLOW_UP, 4);
VALUE(FLOW_ALLOC, 8);
VALUE(FLOW_DEALLOC, 16);
VALUE(FLOW_PEER, 32);
VALUE(FLOW_ROOM, 64);

/* name.h */
VALUE(NAME_SIZE, 255);
VALUE(NAME_PATH_SIZE, 511);
VALUE(BIND_AUTO, 1);
SIZE(enum pol_balance, 4);
VALUE(LB_RR, 0);
VALUE(LB_SPILL, 1);
VALUE(LB_INVALID, 2);

SIZE(struct name_sec_paths, 1536);
MEMBER(struct name_sec_paths, enc, 0, 512);
MEMBER(struct name_sec_paths, key, 512, 512);
MEMBER(struct name_sec_paths, crt, 1024, 512);

SIZE(struct name_info, 3332);
ALIGN(struct name_info, 4);
MEMBER(struct name_info, name, 0, 256);
MEMBER(struct name_info, pol_lb, 256, 4);
MEMBER(struct name_info, s, 260, 1536);
MEMBER(struct name_info, c, 1796, 1536);

VALUE(BIND_PROGRAM, 0);
VALUE(BIND_PROCESS, 1);
VALUE(BIND_IPCP, 2);
SIZE(struct bind_list_info, 48);
MEMBER(struct bind_list_info, name, 0, 8);
MEMBER(struct bind_list_info, type, 8, 4);
MEMBER(struct bind_list_info, pid, 12, 4);
MEMBER(struct bind_list_info, uid, 16, 4);
MEMBER(struct bind_list_info, prog, 24, 8);
MEMBER(struct bind_list_info, opts, 32, 4);
MEMBER(struct bind_list_info, argc, 36, 4);
MEMBER(struct bind_list_info, argv, 40, 8);

SIZE(struct name_list_files, 24);
MEMBER(struct name_list_files, enc, 0, 8);
MEMBER(struct name_list_files, key, 8, 8);
MEMBER(struct name_list_files, crt, 16, 8);
SIZE(struct name_list_info, 104);
MEMBER(struct name_list_info, name, 0, 8);
MEMBER(struct name_list_info, pol_lb, 8, 4);
MEMBER(struct name_list_info, is_patient, 12, 4);
MEMBER(struct name_list_info, wait_ns, 16, 8);
MEMBER(struct name_list_info, s, 24, 24);
MEMBER(struct name_list_info, c, 48, 24);
MEMBER(struct name_list_info, acceptors, 72, 4);
MEMBER(struct name_list_info, processes, 76, 4);
MEMBER(struct name_list_info, programs, 80, 4);
MEMBER(struct name_list_info, opts, 84, 4);
MEMBER(struct name_list_info, layerc, 88, 4);
MEMBER(struct name_list_info, layers, 96, 8);

VALUE(FLOW_PENDING, 0);
VALUE(FLOW_ALLOCATED, 1);
VALUE(FLOW_DEALLOCATING, 2);
SIZE(struct flow_list_side, 64);
MEMBER(struct flow_list_side, pid, 0, 4);
MEMBER(struct flow_list_side, prog, 8, 8);
MEMBER(struct flow_list_side, is_remote, 16, 4);
MEMBER(struct flow_list_side, host, 24, 8);
MEMBER(struct flow_list_side, packets, 32, 8);
MEMBER(struct flow_list_side, bytes, 40, 8);
MEMBER(struct flow_list_side, unread_packets, 48, 8);
MEMBER(struct flow_list_side, unread_bytes, 56, 8);
SIZE(struct flow_list_info, 200);
MEMBER(struct flow_list_info, id, 0, 4);
MEMBER(struct flow_list_info, state, 4, 4);
MEMBER(struct flow_list_info, name, 8, 8);
MEMBER(struct flow_list_info, layer, 16, 8);
MEMBER(struct flow_list_info, age_ms, 24, 8);
MEMBER(struct flow_list_info, qs, 32, 40);
MEMBER(struct flow_list_info, client, 72, 64);
MEMBER(struct flow_list_info, server, 136, 64);

/* ipcp.h */
VALUE(IPCP_NAME_SIZE, 255);
VALUE(LAYER_NAME_SIZE, 255);
VALUE(DEV_NAME_SIZE, 255);
STATIC_CHECK(sizeof(DT_COMP) == sizeof("Data Transfer"));
STATIC_CHECK(sizeof(MGMT_COMP) == sizeof("Management"));

SIZE(enum ipcp_state, 4);
VALUE(IPCP_NULL, 0);
VALUE(IPCP_INIT, 1);
VALUE(IPCP_BOOT, 2);
VALUE(IPCP_BOOTSTRAPPED, 3);
VALUE(IPCP_ENROLLED, 4);
VALUE(IPCP_OPERATIONAL, 5);
VALUE(IPCP_SHUTDOWN, 6);

SIZE(enum ipcp_type, 4);
VALUE(IPCP_LOCAL, 0);
VALUE(IPCP_UNICAST, 1);
VALUE(IPCP_BROADCAST, 2);
VALUE(IPCP_ETH_LLC, 3);
VALUE(IPCP_ETH_DIX, 4);
VALUE(IPCP_UDP4, 5);
VALUE(IPCP_UDP6, 6);
VALUE(IPCP_INVALID, 7);

SIZE(enum pol_addr_auth, 4);
VALUE(ADDR_AUTH_FLAT_RANDOM, 0);
VALUE(ADDR_AUTH_INVALID, 1);

SIZE(enum pol_link_state, 4);
VALUE(LS_SIMPLE, 0);
VALUE(LS_LFA, 1);
VALUE(LS_ECMP, 2);
VALUE(LS_INVALID, 3);

SIZE(enum pol_routing, 4);
VALUE(ROUTING_LINK_STATE, 0);
VALUE(ROUTING_INVALID, 1);

SIZE(enum pol_cong_avoid, 4);
VALUE(CA_NONE, 0);
VALUE(CA_MB_ECN, 1);
VALUE(CA_INVALID, 2);

SIZE(enum pol_dir, 4);
VALUE(DIR_DHT, 0);
VALUE(DIR_INVALID, 1);

SIZE(enum pol_dir_hash, 4);
VALUE(DIR_HASH_SHA3_224, 0);
VALUE(DIR_HASH_SHA3_256, 1);
VALUE(DIR_HASH_SHA3_384, 2);
VALUE(DIR_HASH_SHA3_512, 3);
VALUE(DIR_HASH_INVALID, 4);

SIZE(enum dir_dht_config_limits, 4);
VALUE(DHT_ALPHA_MIN, 1);
VALUE(DHT_K_MIN, 1);
VALUE(DHT_T_EXPIRE_MIN, 10);
VALUE(DHT_T_REFRESH_MIN, 3);
VALUE(DHT_T_REPLICATE_MIN, 3);
VALUE(DHT_ALPHA_MAX, 10);
VALUE(DHT_K_MAX, 20);
VALUE(DHT_T_EXPIRE_MAX, 86400);
VALUE(DHT_T_REFRESH_MAX, 3600);
VALUE(DHT_T_REPLICATE_MAX, 3600);

SIZE(struct ipcp_info, 268);
MEMBER(struct ipcp_info, type, 0, 4);
MEMBER(struct ipcp_info, pid, 4, 4);
MEMBER(struct ipcp_info, name, 8, 256);
MEMBER(struct ipcp_info, state, 264, 4);

SIZE(struct ls_config, 32);
MEMBER(struct ls_config, pol, 0, 4);
MEMBER(struct ls_config, t_recalc, 8, 8);
MEMBER(struct ls_config, t_update, 16, 8);
MEMBER(struct ls_config, t_timeo, 24, 8);

SIZE(struct routing_config, 40);
MEMBER(struct routing_config, pol, 0, 4);
MEMBER(struct routing_config, ls, 8, 32);

SIZE(struct dt_config, 48);
MEMBER(struct dt_config, addr_size, 0, 1);
MEMBER(struct dt_config, eid_size, 1, 1);
MEMBER(struct dt_config, max_ttl, 2, 1);
MEMBER(struct dt_config, routing, 8, 40);

SIZE(struct dir_dht_config, 32);
MEMBER(struct dir_dht_config, params, 0, 20);
MEMBER(struct dir_dht_config, params.alpha, 0, 4);
MEMBER(struct dir_dht_config, params.k, 4, 4);
MEMBER(struct dir_dht_config, params.t_expire, 8, 4);
MEMBER(struct dir_dht_config, params.t_refresh, 12, 4);
MEMBER(struct dir_dht_config, params.t_replicate, 16, 4);
MEMBER(struct dir_dht_config, peer, 24, 8);

SIZE(struct dir_config, 40);
MEMBER(struct dir_config, pol, 0, 4);
MEMBER(struct dir_config, dht, 8, 32);

SIZE(struct uni_config, 96);
MEMBER(struct uni_config, dt, 0, 48);
MEMBER(struct uni_config, dir, 48, 40);
MEMBER(struct uni_config, addr_auth_type, 88, 4);
MEMBER(struct uni_config, cong_avoid, 92, 4);

SIZE(struct eth_config, 258);
ALIGN(struct eth_config, 2);
MEMBER(struct eth_config, dev, 0, 256);
MEMBER(struct eth_config, ethertype, 256, 2);

SIZE(struct udp4_config, 12);
MEMBER(struct udp4_config, ip_addr, 0, 4);
MEMBER(struct udp4_config, dns_addr, 4, 4);
MEMBER(struct udp4_config, port, 8, 2);

SIZE(struct udp6_config, 36);
MEMBER(struct udp6_config, ip_addr, 0, 16);
MEMBER(struct udp6_config, dns_addr, 16, 16);
MEMBER(struct udp6_config, port, 32, 2);

SIZE(struct layer_info, 260);
MEMBER(struct layer_info, name, 0, 256);
MEMBER(struct layer_info, dir_hash_algo, 256, 4);

SIZE(struct ipcp_config, 528);
ALIGN(struct ipcp_config, 8);
MEMBER(struct ipcp_config, layer_info, 0, 260);
MEMBER(struct ipcp_config, type, 260, 4);
MEMBER(struct ipcp_config, unicast, 264, 96);
MEMBER(struct ipcp_config, udp4, 264, 12);
MEMBER(struct ipcp_config, udp6, 264, 36);
MEMBER(struct ipcp_config, eth, 264, 258);

/* irm.h */
SIZE(struct ipcp_list_info, 520);
MEMBER(struct ipcp_list_info, pid, 0, 4);
MEMBER(struct ipcp_list_info, type, 4, 4);
MEMBER(struct ipcp_list_info, name, 8, 255);
MEMBER(struct ipcp_list_info, layer, 263, 255);

/* proto.h, cep.h */
VALUE(PROTO_FIELD_ABSENT, -1);
VALUE(PROTO_FIELD_VARIABLE, 0);
VALUE(PROTO_MAX_FIELDS, 128);
VALUE(OCEP_BUF_STRLEN, 128);
SIZE(enum proto_concrete_syntax, 4);
VALUE(PROTO_GPB, 0);
VALUE(PROTO_ASN_1, 1);
VALUE(PROTO_FIXED, 2);

SIZE(struct proto_field, 16);
MEMBER(struct proto_field, fid, 0, 8);
MEMBER(struct proto_field, len, 8, 8);

SIZE(struct conn_info, 2336);
MEMBER(struct conn_info, comp_name, 0, 129);
MEMBER(struct conn_info, protocol, 129, 129);
MEMBER(struct conn_info, pref_version, 260, 4);
MEMBER(struct conn_info, pref_syntax, 264, 4);
MEMBER(struct conn_info, fixed_conc_syntax, 272, 2048);
MEMBER(struct conn_info, num_fields, 2320, 8);
MEMBER(struct conn_info, addr, 2328, 8);

/* qos.h */
VALUE(DEFAULT_PEER_TIMEOUT, 120000);
SIZE(qosspec_t, 40);
ALIGN(qosspec_t, 8);
MEMBER(qosspec_t, delay, 0, 4);
MEMBER(qosspec_t, bandwidth, 8, 8);
MEMBER(qosspec_t, availability, 16, 1);
MEMBER(qosspec_t, loss, 20, 4);
MEMBER(qosspec_t, ber, 24, 4);
MEMBER(qosspec_t, in_order, 28, 1);
MEMBER(qosspec_t, max_gap, 32, 4);
MEMBER(qosspec_t, timeout, 36, 4);

/* What the document takes for granted. */
SIZE(time_t, 8);
SIZE(pid_t, 4);

int main(void)
{
    return 0;
}
