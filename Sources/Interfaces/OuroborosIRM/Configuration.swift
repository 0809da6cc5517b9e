// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroboros
import LocalProtocol
import Vocabulary

extension LayerConfiguration {
    /// Nil if the layer has no name, or the type is none.
    init?(_ conf: ipcp_config) throws(LayerFault) {
        guard let layer = text(in: conf.layer_info.name).flatMap(LayerName.init),
            let type = IPCPType(rawValue: conf.type.rawValue)
        else { return nil }
        var settings = LayerSettings()
        for option in type.options { settings[option] = conf.value(of: option, type) }
        try self.init(layer: layer, type: type, settings)
    }
}

extension ipcp_config {
    /// What the structure says of an option; nil: nothing, or it has no room for it, since its layout is a contract.
    fileprivate func value(of option: LayerOption, _ type: IPCPType) -> LayerValue? {
        switch option {
        case .hash: .number(UInt64(layer_info.dir_hash_algo.rawValue))
        case .unicast(let option): .number(unicast.value(of: option))
        case .ethernet(.device): text(in: eth.dev).map(LayerValue.text)
        case .ethernet(.etherType): .number(UInt64(eth.ethertype))
        case .datagram(.address): address(type == .udp4 ? octets(udp4.ip_addr) : octets(udp6.ip_addr))
        case .datagram(.port): .number(UInt64(type == .udp4 ? udp4.port : udp6.port))
        case .datagram(.server): server(type == .udp4 ? octets(udp4.dns_addr) : octets(udp6.dns_addr))
        case .datagram(.hosts), .datagram(.key): nil
        }
    }

    private func address(_ bytes: [UInt8]) -> LayerValue? {
        DatagramAddress(bytes, port: DatagramParameters.defaultPort).map(LayerValue.address)
    }

    /// Zeroes are none. It is at the usual port.
    private func server(_ bytes: [UInt8]) -> LayerValue? {
        guard bytes.contains(where: { $0 != 0 }) else { return nil }
        return DatagramAddress(bytes, port: DatagramParameters.serverPort).map(LayerValue.address)
    }
}

extension uni_config {
    fileprivate func value(of option: UnicastOption) -> UInt64 {
        switch option {
        case .addressBytes: UInt64(dt.addr_size)
        case .endpointBytes: UInt64(dt.eid_size)
        case .timeToLive: UInt64(dt.max_ttl)
        case .addressAuthority: UInt64(addr_auth_type.rawValue)
        // There is one policy of routing, whose own policies are those that users know.
        case .routing: dt.routing.pol == ROUTING_LINK_STATE ? UInt64(dt.routing.ls.pol.rawValue) : .max
        // What is negative becomes more than an option can be.
        case .recalculate: UInt64(bitPattern: Int64(dt.routing.ls.t_recalc))
        case .update: UInt64(bitPattern: Int64(dt.routing.ls.t_update))
        case .timeout: UInt64(bitPattern: Int64(dt.routing.ls.t_timeo))
        case .directory: UInt64(dir.pol.rawValue)
        case .searchFactor: UInt64(dir.dht.params.alpha)
        case .replicas: UInt64(dir.dht.params.k)
        case .expire: UInt64(dir.dht.params.t_expire)
        case .refresh: UInt64(dir.dht.params.t_refresh)
        case .replicate: UInt64(dir.dht.params.t_replicate)
        case .congestion: UInt64(cong_avoid.rawValue)
        }
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
