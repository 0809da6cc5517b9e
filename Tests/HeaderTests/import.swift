// What the Swift targets need from the public headers through the module COuroboros.
// Type-checked only. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroboros

func qualities() -> (UInt32, UInt64, UInt8) {
    var quality: qosspec_t = qos_raw
    quality.bandwidth = qos_video.bandwidth
    quality.in_order = qos_data.in_order
    return (quality.delay, quality.bandwidth, quality.in_order)
}

func configuration() -> ipcp_config {
    var configuration: ipcp_config = local_default_conf
    configuration.type = IPCP_UNICAST
    configuration.layer_info.dir_hash_algo = DIR_HASH_SHA3_512
    configuration.unicast = default_uni_config
    configuration.unicast.dt.addr_size = 4
    configuration.unicast.dt.routing.ls.pol = LS_ECMP
    configuration.unicast.dir.dht.params.alpha = DHT_ALPHA_MAX.rawValue
    configuration.eth.ethertype = eth_dix_default_conf.eth.ethertype
    configuration.udp4.port = udp4_default_conf.udp4.port
    return configuration
}

func constants() -> [Int32] {
    [
        FLOWFRDONLY, FLOWFWRONLY, FLOWFRDWR, FLOWFACCMODE, FLOWFDOWN, FLOWFRNOBLOCK, FLOWFWNOBLOCK, FLOWFNONBLOCK,
        FLOWFRNOPART, FLOWFWNOPART, FLOWFDEFAULT, FLOWFINVALID, FLOWSRCVTIMEO, FLOWGTXQLEN, FRCTSFLAGS, FRCTGFLAGS,
        FRCTFRTX, FRCTFRESCNTL, FRCTFLINGER, ENOTALLOC, EIPCPTYPE, EIRMD, EIPCP, EIPCPSTATE, EFLOWDOWN, EFLOWPEER,
        ENAME, ECRYPT, EAUTH, NAME_SIZE, NAME_PATH_SIZE, BIND_AUTO, IPCP_NAME_SIZE, LAYER_NAME_SIZE, DEV_NAME_SIZE,
        PROTO_FIELD_ABSENT, PROTO_FIELD_VARIABLE, PROTO_MAX_FIELDS, OCEP_BUF_STRLEN, DEFAULT_PEER_TIMEOUT,
        OUROBOROS_VERSION_MAJOR, OUROBOROS_VERSION_MINOR, OUROBOROS_VERSION_PATCH,
    ]
}

func texts() -> [String] { [OUROBOROS_VERSION_STRING, DT_COMP, MGMT_COMP] }

func enumerations() -> [UInt32] {
    [
        FLOW_PKT.rawValue, FLOW_PEER.rawValue, FLOW_ROOM.rawValue, LB_RR.rawValue, LB_SPILL.rawValue,
        IPCP_OPERATIONAL.rawValue, IPCP_INVALID.rawValue, CA_MB_ECN.rawValue, PROTO_FIXED.rawValue,
    ]
}

func structures() -> (ipcp_list_info, name_info, conn_info, ipcp_info) {
    (ipcp_list_info(), name_info(), conn_info(), ipcp_info())
}

func functions() {
    let _: (Int32, UnsafeRawPointer?, Int) -> Int = flow_write
    let _: (OpaquePointer?, Int32) -> Int32 = fset_add
    let _: (UnsafeMutablePointer<UnsafeMutablePointer<name_info>?>?) -> Int = irm_list_names
}
