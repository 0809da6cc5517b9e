// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The usage texts of `irm ipcp`, word for word those of the prototype. spec: irm-cli §6

extension Usage {
    static let ipcpText = """
        Usage: irm ipcp [OPERATION]

        where OPERATION in {create destroy
                            bootstrap enroll
                            connect disconnect
                            list
                            help}

        """

    static let createIPCPText = """
        Usage: irm ipcp create
                        name <ipcp name>
                        type [TYPE]

        where TYPE in {unicast broadcast local udp4 udp6 eth-llc eth-dix}

        """

    static let destroyIPCPText = """
        Usage: irm ipcp destroy
                        name <ipcp name>

        """

    static let bootstrapText = """
        Usage: irm ipcp bootstrap
                   name <ipcp name>
                   layer <layer name>
                   [type [TYPE]]
        where TYPE in {unicast broadcast local udp4 udp6 eth-llc eth-dix},

        if TYPE == unicast
                [addr_auth <ADDRESS_POLICY> (default: flat)]
                [directory <DIRECTORY_POLICY> (default: DHT)]
                [hash [ALGORITHM] (default: SHA3_256)]
                [routing <ROUTING_POLICY> (default: link_state)]
                [congestion <CONG_POLICY> (default: mb-ecn)]
                [autobind]

        where ADDRESS_POLICY in {flat}
            DIRECTORY_POLICY in {DHT}
            ALGORITHM in {SHA3_224 SHA3_256 SHA3_384 SHA3_512}
            ROUTING_POLICY in {link_state lfa ecmp}
            CONG_POLICY in {none mb-ecn}
            [Data Transfer Constants]
                [addr <address size> (default: 4)]
                [eid <eid size> (default: 8)]
                [ttl <max time-to-live>, default: 60)]

        if DIRECTORY_POLICY == DHT
                [dht_alpha <search factor> (default: 3)]
                [dht_k <replication factor> (default: 8)]
                [dht_t_expire <expiration (s)> (default: 86400)]
                [dht_t_refresh <contact refresh (s)> (default: 900)]
                [dht_t_replicate <replication (s)> (default: 900)]

        if ROUTING_POLICY == link_state
                [ls_t_recalc <pff recalc interval (s)> (default: 4)]
                [ls_t_update <LSA update interval (s)> (default: 15)]
                [ls_t_timeo  <link timeout (s)> (default: 60)]

        if TYPE == udp4
                ip <IP address in dotted notation>
                [port <UDP port> (default: 3435)]
                [dns <DDNS IPv4 address in dotted notation>[:<port>] (default: none)]
                [key <TSIG key file for DDNS updates> (default: none)]
                [hosts <file of addresses and names> (default: none)]

        if TYPE == udp6
                ip <IPv6 address>
                [port <UDP port> (default: 3435)]
                [dns <DDNS IPv6 address> or [<address>]:<port> (default: none)]
                [key <TSIG key file for DDNS updates> (default: none)]
                [hosts <file of addresses and names> (default: none)]

        if TYPE == eth-llc
                dev <interface name>
                [hash [ALGORITHM] (default: SHA3_256)]
        where ALGORITHM in {SHA3_224 SHA3_256 SHA3_384 SHA3_512}

        if TYPE == eth-dix
                dev <interface name>
                [ethertype <ethertype> (default: 0xA000)]
                [hash [ALGORITHM] (default: SHA3_256)]
        where ALGORITHM in {SHA3_224 SHA3_256 SHA3_384 SHA3_512}

        if TYPE == local
                [hash [ALGORITHM] (default: SHA3_256)]
        where ALGORITHM in {SHA3_224 SHA3_256 SHA3_384 SHA3_512}

        if TYPE == broadcast
                [autobind]


        """

    static let enrollText = """
        Usage: irm ipcp enroll
                        name <ipcp name>
                        [layer <layer to enroll with>]
                        [dst <destination to enroll with>]
                        [type [TYPE], default = unicast]
                        [autobind]
        where TYPE in {unicast broadcast}

        """

    static let connectText = """
        Usage: irm ipcp connect
                        name      <ipcp name>
                        dst       <name of destination IPCP>
                        [component [COMPONENT]]
        where COMPONENT in {dt mgmt}

        if COMPONENT == dt
                        [qos       [QOS]
        where QOS in {raw, best, voice, video, data}

        """

    static let disconnectText = """
        Usage: irm ipcp disconnect
                        name      <ipcp name>
                        dst       <name of destination IPCP>
                        [component [COMPONENT]]

        where COMPONENT in {dt mgmt}

        """

    static let listIPCPsText = """
        Usage: irm ipcp list
                        [name  <ipcp name>]
                        [layer <layer_name>]

                        [type [TYPE]]

        where TYPE = {unicast local udp4 udp6 eth-llc eth-dix}

        """
}
