// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroboros
import LocalProtocol
import Vocabulary

extension LayerConfiguration {
    /// Nil if a member that the type uses has no valid value.
    init?(_ conf: ipcp_config) {
        guard let layer = text(in: conf.layer_info.name).flatMap(LayerName.init),
            let type = IPCPType(rawValue: conf.type.rawValue),
            let chosen = DirectoryHash(rawValue: conf.layer_info.dir_hash_algo.rawValue),
            let parameters = Parameters(conf, type)
        else { return nil }
        let isUDP = type == .udp4 || type == .udp6
        // MD5 is the hash of UDP layers, whatever the caller says, and of no other. spec: irmd §4
        guard isUDP || chosen != .md5 else { return nil }
        self.init(layer: layer, hash: isUDP ? .md5 : chosen, parameters: parameters)
    }
}

extension LayerConfiguration.Parameters {
    fileprivate init?(_ conf: ipcp_config, _ type: IPCPType) {
        switch type {
        case .local: self = .local
        case .broadcast: self = .broadcast
        case .unicast:
            guard let unicast = UnicastParameters(conf.unicast) else { return nil }
            self = .unicast(unicast)
        // There is no room for a hosts file, a key or another port of the DNS server in these structures, whose layout is a contract.
        case .udp4:
            guard
                let parameters = DatagramParameters(
                    address: octets(conf.udp4.ip_addr), dns: octets(conf.udp4.dns_addr), port: conf.udp4.port)
            else { return nil }
            self = .udp4(parameters)
        case .udp6:
            guard
                let parameters = DatagramParameters(
                    address: octets(conf.udp6.ip_addr), dns: octets(conf.udp6.dns_addr), port: conf.udp6.port)
            else { return nil }
            self = .udp6(parameters)
        case .ethernetLLC:
            guard let device = text(in: conf.eth.dev) else { return nil }
            self = .ethernetLLC(device: device)
        case .ethernetDIX:
            guard let device = text(in: conf.eth.dev) else { return nil }
            self = .ethernetDIX(device: device, etherType: conf.eth.ethertype)
        }
    }
}

extension UnicastParameters {
    /// Nil for a policy that does not exist.
    fileprivate init?(_ conf: uni_config) {
        guard conf.dt.routing.pol.rawValue < ROUTING_INVALID.rawValue,
            conf.dt.routing.ls.pol.rawValue < LS_INVALID.rawValue,
            conf.dir.pol.rawValue < DIR_INVALID.rawValue,
            conf.addr_auth_type.rawValue < ADDR_AUTH_INVALID.rawValue,
            conf.cong_avoid.rawValue < CA_INVALID.rawValue,
            let recalculate = UInt64(exactly: conf.dt.routing.ls.t_recalc),
            let update = UInt64(exactly: conf.dt.routing.ls.t_update),
            let timeout = UInt64(exactly: conf.dt.routing.ls.t_timeo)
        else { return nil }
        self.init()
        addressBytes = conf.dt.addr_size
        endpointBytes = conf.dt.eid_size
        timeToLive = conf.dt.max_ttl
        linkState = conf.dt.routing.ls.pol.rawValue
        recalculateSeconds = recalculate
        updateSeconds = update
        timeoutSeconds = timeout
        searchFactor = conf.dir.dht.params.alpha
        replicas = conf.dir.dht.params.k
        expireSeconds = conf.dir.dht.params.t_expire
        refreshSeconds = conf.dir.dht.params.t_refresh
        replicateSeconds = conf.dir.dht.params.t_replicate
        congestion = conf.cong_avoid.rawValue
    }
}

extension QualityOfService {
    init(_ qs: qosspec_t) {
        self.init(
            delayMilliseconds: qs.delay, bandwidth: qs.bandwidth, availability: qs.availability, loss: qs.loss,
            bitErrorRate: qs.ber, inOrder: qs.in_order != 0 || qs.loss == 0, maximumGapMilliseconds: qs.max_gap,
            timeoutMilliseconds: qs.timeout)
    }

    var c: qosspec_t {
        qosspec_t(
            delay: delayMilliseconds, bandwidth: bandwidth, availability: availability, loss: loss, ber: bitErrorRate,
            in_order: inOrder ? 1 : 0, max_gap: maximumGapMilliseconds, timeout: timeoutMilliseconds)
    }
}

/// An address as it stands in memory: in network order.
private func octets<Address>(_ address: Address) -> [UInt8] { withUnsafeBytes(of: address) { Array($0) } }
