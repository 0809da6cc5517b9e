// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// Managers among each other: each acts on what is theirs.
@Suite struct OwnershipTests {
    private struct Host {
        var rig = Rig()
        let root: ConnectionID
        let member: ConnectionID
        let other: ConnectionID

        init() {
            root = rig.connect(.management, pid: 2, uid: 0)
            member = rig.connect(.management, pid: 3, uid: 1_001, groups: [GroupID(77)])
            other = rig.connect(.management, pid: 4, uid: 1_002, groups: [GroupID(77)])
        }

        mutating func create(_ name: String, on connection: ConnectionID) {
            rig.manage(.createName(NameSettings(name: service(name), balancing: .spillover)), on: connection)
        }
    }

    private let program = Array("/bin/x".utf8)

    private func bind(_ name: String) -> ManagementRequest {
        .bindProgram(program: program, service(name), autoStart: false, arguments: [], directory: [])
    }

    @Test("a member changes neither root's names nor another member's, and root changes all")
    func names() throws {
        var host = Host()
        host.create("root", on: host.root)
        host.create("mine", on: host.member)
        host.create("others", on: host.other)
        for name in ["root", "others"] {
            for request in [
                .destroyName(service(name)), bind(name), .bindProcess(ProcessID(90), service(name)),
                .registerName(service(name), ProcessID(300)), .unregisterName(service(name), ProcessID(300)),
            ] as [ManagementRequest] {
                let fact: SystemFact =
                    if case .bindProcess = request { .process(UserID(1_001)) } else { .program(program) }
                #expect(host.rig.manage(request, on: host.member, fact).failures == [.notPermitted])
            }
            #expect(host.rig.manager.naming[service(name)] != nil)
        }
        #expect(host.rig.manage(.destroyName(service("mine")), on: host.member).results == [.completed])
        #expect(host.rig.manage(.destroyName(service("others")), on: host.root).results == [.completed])
        // What is bound first makes the name, and owns it.
        #expect(host.rig.manage(bind("new"), on: host.member, .program(program)).results == [.completed])
        #expect(host.rig.manage(.destroyName(service("new")), on: host.other).failures == [.notPermitted])
    }

    @Test("a member ends no binding of others, by name or all at once; the name's owner ends any")
    func bindings() throws {
        var host = Host()
        host.rig.manage(bind("root"), on: host.root, .program(program))
        host.rig.manage(bind("mine"), on: host.member, .program(program))
        host.rig.manage(bind("mine"), on: host.root, .program(program))
        for name in [service("root"), nil] as [ServiceName?] {
            #expect(
                host.rig.manage(.unbindProgram(program: program, otherwise: [], name), on: host.other).failures == [
                    .notPermitted
                ])
        }
        // Hers, and root's of a name of hers.
        #expect(
            host.rig.manage(.unbindProgram(program: program, otherwise: [], nil), on: host.member).results == [
                .completed
            ])
        #expect(host.rig.manager.naming[service("mine")]?.programs.isEmpty == true)
        #expect(host.rig.manager.naming[service("root")]?.programs.count == 1)

        let server = Attached(&host.rig, pid: 50, uid: 0)
        host.rig.manage(.bindProcess(server.pid, service("root")), on: host.root, .process(.root))
        for name in [service("root"), nil] as [ServiceName?] {
            #expect(host.rig.manage(.unbindProcess(server.pid, name), on: host.member).failures == [.notPermitted])
        }
        #expect(host.rig.manage(.unbindProcess(server.pid, nil), on: host.root).results == [.completed])
    }

    @Test("an IPCP is its creator's: others neither end nor change nor bind it, but register names with it")
    func ipcps() throws {
        var host = Host()
        let ipcp = try host.rig.makeLocalLayer(on: host.root)
        let layer = LayerConfiguration(
            layer: try #require(LayerName("l")), hash: .sha3x256, parameters: .local)
        for request in [
            .destroyIPCP(ipcp), .bootstrapIPCP(ipcp, layer), .enrollIPCP(ipcp, destination: service("d")),
            .connectIPCP(ipcp, destination: service("d"), component: [], .raw),
            .disconnectIPCP(ipcp, destination: service("d"), component: []),
            .bindProcess(ipcp, service("m")),
        ] as [ManagementRequest] {
            #expect(host.rig.manage(request, on: host.member, .process(.root)).failures == [.notPermitted])
        }
        host.create("mine", on: host.member)
        host.rig.register("mine", with: ipcp, on: host.member)
        #expect(host.rig.manager.naming[service("mine")]?.registrations.count == 1)
        #expect(host.rig.manage(.describeIPCP(ipcp), on: host.member).failures.isEmpty)
    }

    @Test("no user's share leaves nothing for others, and the last places are for root")
    func shares() {
        var shares = Shares<UserID>(of: 1_600)
        var counts: [Int] = []
        for user in 1...6 {
            while shares.add(for: UserID(UInt32(user))) {}
            counts.append(shares.count(of: UserID(UInt32(user))))
        }
        #expect(counts.first == 750)
        #expect(counts == counts.sorted(by: >))
        #expect(counts.allSatisfy { $0 > 0 })
        for _ in 0..<100 {
            let isGiven = shares.add(for: .root, isExempt: true)
            #expect(isGiven)
        }
        for user in 1...6 { for _ in 0..<2_000 { shares.remove(for: UserID(UInt32(user))) } }
        #expect(shares.used == 100)
    }

    @Test("one user's flows, links, names and connections leave room for another's")
    func tables() {
        var quotas = FlowQuotas(queueBytesPerUser: 1 << 50)
        var shares = ConnectionShares(of: 1_000, manager: .root)
        for user in [UInt32(1), 2, 3] {
            var flows = 0
            while quotas.addFlow(of: UserID(user)) != nil { flows += 1 }
            #expect(flows > 10_000)
            var links = 0
            while quotas.addLink(of: UserID(user)) { links += 1 }
            #expect(links > 3_000)
            var connections = 0
            while shares.add(for: UserID(user)) { connections += 1 }
            #expect(connections > 100)
        }
        let (flow, connection) = (quotas.addFlow(of: .root), shares.add(for: .root))
        #expect(flow != nil && connection)

        var host = Host()
        var number = 0
        while host.rig.manager.naming.create(
            NameSettings(name: service("n\(number)"), balancing: .spillover), owner: UserID(1_001), isExempt: false)
        { number += 1 }
        #expect(number < Limits.names / 2)
        host.create("other", on: host.other)
        #expect(host.rig.manager.naming[service("other")] != nil)
    }

    @Test("a user who waits for very many names of a layer leaves room for the others")
    func questions() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let ipcps = try [Network(&rig, on: management).ipcp, Network(&rig, on: management).ipcp]
        var refused = 0
        for number in 0..<1_100 {
            let call = rig.connect(.call, pid: Int32(5_000 + number), uid: 2_001)
            refused += rig.allocate(call, "bogus\(number)").failures == [.tableFull] ? 1 : 0
        }
        #expect(refused > 500 && refused < 1_100)
        let other = rig.connect(.call, pid: 20, uid: 2_002)
        #expect(rig.allocate(other, "name").failures.isEmpty)
        // What is answered makes room.
        for ipcp in ipcps {
            for request in rig.manager.children.ipcps[ipcp]?.unanswered.sorted() ?? [] {
                rig.handle(.ipcpReplied(ipcp, .failed(request, .name, reason: [])))
            }
            #expect(rig.manager.children.ipcps[ipcp]?.asked.used == 0)
        }
        rig.manager.checkInvariants()
    }

    @Test("the same with one layer, which is asked for the flow at once")
    func remoteFlows() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let network = try Network(&rig, on: management)
        var refused = 0
        var calls: [ConnectionID] = []
        for number in 0..<1_100 {
            let call = rig.connect(.call, pid: Int32(5_000 + number), uid: 2_001)
            calls.append(call)
            refused += rig.allocate(call, "bogus\(number)").failures == [.tableFull] ? 1 : 0
        }
        #expect(refused > 500 && refused < 1_100)
        let other = rig.connect(.call, pid: 20, uid: 2_002)
        #expect(rig.allocate(other, "name").failures.isEmpty)
        // Whoever gives up makes room, and so does an answer.
        let used = rig.manager.children.ipcps[network.ipcp]?.asked.used ?? 0
        rig.handle(.disconnected(calls[0]))
        #expect(rig.manager.children.ipcps[network.ipcp]?.asked.used == used - 1)
        for flow in rig.manager.book.flows.keys.sorted() {
            network.say(.mapped(flow), &rig)
            network.say(.refused(flow, .name, reason: []), &rig)
        }
        #expect(rig.manager.children.ipcps[network.ipcp]?.asked.used == 0)
        #expect(rig.manager.book.flows.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("other hosts ask for one name that nobody accepts: other names are not refused, and what ends makes room")
    func arrivals() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        var network = try Network(&rig, on: management)
        for (name, pid) in [("busy", Int32(50)), ("calm", 51)] {
            let server = Attached(&rig, pid: pid)
            rig.manage(.bindProcess(server.pid, service(name)), on: management, .process(UserID(1_000)))
        }
        for _ in 0..<1_100 { network.arrive("busy", &rig) }
        #expect(rig.manager.children.ipcps[network.ipcp]?.arrived.count(of: service("busy")) == 480)
        #expect(!network.arrive("calm", &rig).requests.contains { if case .reject = $0 { true } else { false } })
        rig.advance(Limits.allocationTimeout)
        rig.advance(TimeSpan(nanoseconds: 0))
        #expect(rig.manager.children.ipcps[network.ipcp]?.arrived.used == 0)
        rig.manager.checkInvariants()
    }

    @Test("one user's bindings leave room for the others', and those that end make room")
    func bindingShares() throws {
        var names = Naming(PlainHashing())
        for (name, user) in [("one", UInt32(1)), ("two", 1), ("three", 1), ("other", 2)] {
            let settings = NameSettings(name: service(name), balancing: .spillover)
            let isMade = names.create(settings, owner: UserID(user), isExempt: false)
            #expect(isMade)
        }
        let share = (Limits.allBindings - Limits.allBindings / 16) / 2
        var count = 0
        for name in ["one", "two", "three"].map(service) {
            while names.hasRoomForBinding(of: name, isExempt: false) {
                count += 1
                if count % 2 == 0 {
                    _ = names.bind(ProcessID(Int32(count)), to: name)
                } else {
                    _ = names.bind(ProgramKey(path: Array("/bin/\(count)".utf8), user: UserID(1)), to: name, nil)
                }
            }
        }
        #expect(count == share)
        #expect(names.hasRoomForBinding(of: service("other"), isExempt: false))
        _ = names.unbind(ProcessID(2), from: service("one"))
        #expect(names.hasRoomForBinding(of: service("three"), isExempt: false))
        names.unbind(ProgramKey(path: Array("/bin/1".utf8), user: UserID(1)), from: service("one"))
        _ = names.remove(service("two"))
        _ = names.bind(ProcessID(1_000_000), to: service("other"))
        _ = names.remove(service("one"))
        _ = names.remove(service("three"))
        _ = names.remove(service("other"))
        #expect(names.bindings == 0)
    }
}
