// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// At least one message of every kind, with fields at their bounds.
enum Samples {
    static let service = name(ServiceKind.self, "server")
    static let layer = name(LayerKind.self, "layer")
    static let longest = name(ServiceKind.self, String(repeating: "x", count: Limits.nameBytes))
    static let request = RequestID(.max)
    static let flow = FlowID(0x8001_0203)

    static func name<Kind>(_: Kind.Type, _ text: String) -> Name<Kind> {
        guard let name = Name<Kind>(text) else { preconditionFailure("not a name: \(text)") }
        return name
    }

    static var paths: SecurityPaths {
        var paths = SecurityPaths()
        paths.encryption = [UInt8](repeating: 0xff, count: Limits.pathBytes)
        paths.key = Array("key.pem".utf8)
        return paths
    }

    static let configurations: [LayerConfiguration] = [
        LayerConfiguration(layer: layer, hash: .sha3x224, parameters: .local),
        LayerConfiguration(layer: layer, hash: .sha3x512, parameters: .broadcast),
        LayerConfiguration(layer: layer, hash: .sha3x256, parameters: .unicast(UnicastParameters())),
        LayerConfiguration(
            layer: layer, hash: .md5,
            parameters: .udp4(DatagramParameters(own: DatagramAddress(family: .ipv4, high: 0, low: 1, port: 3_435)))),
        LayerConfiguration(
            layer: layer, hash: .md5,
            parameters: .udp6(
                DatagramParameters(
                    own: DatagramAddress(family: .ipv6, high: 1, low: 2, port: .max, scope: 3),
                    server: DatagramAddress(family: .ipv6, high: .max, low: 4, port: 5, scope: .max),
                    hosts: Array("/etc/ouroboros/hosts".utf8),
                    key: [UInt8](repeating: UInt8(ascii: "/"), count: Limits.pathBytes)))),
        LayerConfiguration(layer: layer, hash: .sha3x384, parameters: .ethernetLLC(device: Array("eth0".utf8))),
        LayerConfiguration(
            layer: layer, hash: .sha3x256, parameters: .ethernetDIX(device: Array("eth0".utf8), etherType: 0xa000)),
    ]

    static let managements: [ManagementRequest] =
        [
            .createIPCP(name(IPCPKind.self, "ipcp"), .udp6), .destroyIPCP(ProcessID(-1)),
            .enrollIPCP(ProcessID(7), destination: longest),
            .connectIPCP(ProcessID(7), destination: service, component: Array("dt".utf8), .voice),
            .disconnectIPCP(ProcessID(7), destination: service, component: []), .listIPCPs(from: 0),
            .bindProgram(
                program: Array("/bin/x".utf8), service, autoStart: true,
                arguments: [[], Array("-l".utf8), [0xff, 0xfe]], directory: Array("/".utf8)),
            .unbindProgram(program: Array("x".utf8), otherwise: [], nil),
            .unbindProgram(program: [], otherwise: Array("/x".utf8), service),
            .bindProcess(ProcessID(.max), service), .unbindProcess(ProcessID(1), nil),
            .unbindProcess(ProcessID(1), service),
            .createName(
                NameSettings(
                    name: service, balancing: .roundRobin, wait: TimeSpan(seconds: 5), server: paths, client: paths)),
            .destroyName(service), .listNames(from: .max), .registerName(service, ProcessID(3)),
            .unregisterName(service, ProcessID(3)), .listFlows(from: 24), .status,
            .describeIPCP(ProcessID(9)), .listBindings(from: 1), .setName(service, balancing: nil, wait: nil),
            .setName(longest, balancing: .spillover, wait: .unlimited), .destroyFlow(flow), .showFlow(flow),
        ] + configurations.map { .bootstrapIPCP(ProcessID(7), $0) }

    static let processMessages: [ProcessMessage] =
        [
            .hello(Hello(role: .session, features: .expeditedBarrier, program: Array("oping".utf8))),
            .hello(Hello(role: .management)), .allocate(request, longest, .data, timeout: nil),
            .allocate(request, service, .raw, timeout: TimeSpan(nanoseconds: .max)), .accept(request, timeout: nil),
            .accept(request, timeout: TimeSpan(nanoseconds: 0)), .join(request, layer, timeout: TimeSpan(seconds: 1)),
            .taken(flow), .refused(flow, .outOfMemory), .deallocate(flow), .described(request, nil),
            .described(request, statistics),
        ] + managements.map { .manage(request, $0) }

    static let flowEntry = FlowSummary(
        flow: flow, state: .deallocating, name: service,
        client: FlowParty(
            process: ProcessID(1), program: Array("c".utf8),
            sent: FlowTraffic(packets: .max, bytes: 1, unreadPackets: 2, unreadBytes: 3)),
        server: FlowParty(process: ProcessID(2), program: [], host: Array("10.0.0.1:3435".utf8)), layer: layer,
        quality: .video, age: TimeSpan(seconds: 3))

    static let bindings: [BindingEntry] = [
        BindingEntry(name: longest, bound: .program(Array("/bin/x".utf8), .root, arguments: nil)),
        BindingEntry(name: service, bound: .program([], UserID(.max), arguments: [[], [0xff]])),
        BindingEntry(name: service, bound: .process(ProcessID(.max), program: [])),
        BindingEntry(name: service, bound: .ipcp(ProcessID(3), name(IPCPKind.self, "i"))),
    ]

    static let results: [ManagementResult] = [
        .completed, .unchanged, .created(ProcessID(9)), .ipcps([], total: 0),
        .ipcps(
            [IPCPEntry(process: ProcessID(1), type: .local, name: name(IPCPKind.self, "i"), layer: nil)], total: 1),
        .names(
            [
                NameEntry(
                    settings: NameSettings(name: service, balancing: .spillover), acceptors: 1, processes: 2,
                    programs: 3, autoStart: true, layers: [layer, layer])
            ], total: 5_000),
        .flows([flowEntry, flowEntry], total: 2),
        .status(
            ManagerStatus(
                process: ProcessID(1), user: .root, uptime: TimeSpan(seconds: 1), processes: 1, ipcps: 2, names: 3,
                flows: 4, flowsAllocated: 5, allocationsFailed: 6, runtimeDirectory: Array("/run".utf8))),
        .layer(layerStatus), .bindings([], total: 0), .bindings(bindings, total: 7),
        .flow(flowEntry, client: .statistics(statistics), server: .provider),
        .flow(flowEntry, client: .silent, server: .unable), .flow(flowEntry, client: .notHeld, server: .notHeld),
    ]

    static let statistics = FlowStatistics(numbers: Array(1...35))

    static let offer = FlowOffer(
        flow: flow, end: .second, quality: .bestEffort, peer: ProcessID(4), link: LinkID(3), slot: LinkSlot(65_535),
        linkEnd: .first, linkIsIncluded: true, isExpedited: false, ringBytes: 1, queueBytes: 2, arrivingQueueBytes: 3,
        messageBytes: 4, role: .provider)

    static let terms = FlowTerms(
        packetLifetime: TimeSpan(seconds: 5), avoidsCongestion: true, items: [1, 2, 3, 4])

    static let userOffer = FlowOffer(
        flow: flow, end: .first, quality: .raw, peer: ProcessID(4),
        parties: FlowParties(
            name: longest, user: UserID(1_000), group: GroupID(5), layer: layer, address: Array("[::1]:9".utf8)),
        link: LinkID(3), slot: LinkSlot(0), linkEnd: .second, linkIsIncluded: false, isExpedited: true, role: .user,
        terms: terms)

    static let managerMessages: [ManagerMessage] =
        [
            .welcome(Welcome(features: .expeditedBarrier, manager: ProcessID(5), incarnation: .max)),
            .versionRefused(ProtocolVersion(major: .max, minor: 0)),
            .offer(request, offer), .offer(request, userOffer),
            .failed(request, .timedOut, reason: Array("why".utf8)), .flowDown(flow),
            .retireLink(LinkID(7), .second), .describeFlow(request, flow, .second),
        ] + results.map { .result(request, $0) }

    static let ipcpRequests: [IPCPRequest] =
        [
            .enroll(request, destination: service), .connect(request, destination: service, component: [], .data),
            .disconnect(request, destination: service, component: [1]), .register(request, hash: [1, 2, 3, 4]),
            .unregister(request, hash: []), .query(request, hash: [9], user: UserID(7)),
            .flowRequested(flow, hash: [1, 2]),
            .flowAllocated(flow), .flowEnded(flow),
            .allocate(request, offer, hash: [1], authentication: [2, 3], patience: TimeSpan(milliseconds: 9)),
            .accept(request, offer, authentication: []), .reject(request, .name), .describe(request),
            .accept(request, offer, authentication: [], user: UserID(7), isOurs: true),
            .askAgain(flow, authentication: [4, 5]), .recognised(flow),
        ]
        + configurations.map {
            .bootstrap(request, $0, by: FileRights(user: UserID(1), group: GroupID(2), groups: [GroupID(3)]))
        }

    static let ipcpReplies: [IPCPReply] = [
        .initialised(.current, .ethernetDIX), .succeeded(request), .failed(request, .ipcpState, reason: [0x41]),
        .bootstrapped(request, messageBytes: 8_976, terms),
        .arrived(request, hash: [7], .data, authentication: [1, 2], from: Array("10.0.0.1:3435".utf8)),
        .mapped(flow), .taken(flow, authentication: [3], with: []), .refused(flow, .name, reason: [0x42]),
        .described(request, layerStatus), .unanswered(flow),
    ]

    static let layerStatus: LayerStatus = {
        var status = LayerStatus()
        status.address = Array("127.0.0.1".utf8)
        status.port = 3_435
        status.flows = 2
        status.peers = [[0x31], [0x32]]
        status.counters = [LayerStatus.Counter("packets sent", .max)]
        return status
    }()
}
