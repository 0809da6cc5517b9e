// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct RightsTests {
    @Test("management is for irmd's user, root, and the group")
    func management() {
        for (uid, groups, isAllowed) in [
            (UInt32(500), [GroupID](), true), (0, [], true), (1_000, [GroupID(77)], true),
            (1_000, [GroupID(78)], false),
            (77, [], true), (1_000, [], false),
        ] {
            var rig = Rig()
            let connection = rig.connect(.management, pid: 5, uid: uid, groups: groups)
            let done = rig.manage(.status, on: connection)
            #expect(done.failures == (isAllowed ? [] : [.notPermitted]))
            #expect(done.results.isEmpty != isAllowed)
        }
    }

    @Test("without the group on this host its number means nothing")
    func noGroup() {
        #expect(
            !Rights(manager: UserID(1), managers: nil).mayManage(
                Credentials(process: ProcessID(1), user: UserID(2), group: GroupID(77), groups: [GroupID(77)])))
    }

    @Test("a member of the group binds his own processes only")
    func binding() {
        var town = Town()
        let member = town.rig.connect(.management, pid: 6, uid: 1_001, groups: [GroupID(77)])
        let own = ManagementRequest.bindProcess(ProcessID(90), service("x"))
        #expect(town.rig.manage(own, on: member, .process(UserID(1_001))).results == [.completed])
        let other = ManagementRequest.bindProcess(ProcessID(91), service("x"))
        #expect(town.rig.manage(other, on: member, .process(UserID(1_000))).failures == [.notPermitted])
        #expect(town.rig.manage(other, on: town.management, .process(UserID(1_000))).results == [.completed])
    }

    @Test("a user's connections are bounded, root's are not")
    func connections() {
        var shares = ConnectionShares(of: 1 << 20, manager: .root)
        for _ in 0..<Limits.connectionsPerUser {
            #expect(shares.add(for: UserID(1)) == true)
            #expect(shares.add(for: .root) == true)
        }
        #expect(shares.add(for: UserID(1)) == false)
        #expect(shares.add(for: .root) == true)
        #expect(shares.add(for: UserID(2)) == true)
        shares.remove(for: UserID(1))
        #expect(shares.add(for: UserID(1)) == true)
    }

    @Test("a user at his limit of flows is refused, and the acceptor serves the next")
    func flows() {
        var town = Town()
        for _ in 0..<Limits.flowsPerUser { _ = town.rig.manager.book.quotas.addFlow(of: UserID(1_000)) }
        town.rig.accept(town.server.call)
        #expect(town.rig.allocate(town.client.call, "echo").failures == [.badDescriptor])
        let other = Attached(&town.rig, pid: 30, uid: 1_001)
        #expect(town.rig.allocate(other.call, "echo").offers.count == 1)
    }

    @Test("queues become small when a user has many, are given back, and are refused only when nothing is left")
    func queues() throws {
        let limit: UInt64 = 64 << 20
        var quotas = FlowQuotas(queueBytesPerUser: limit)
        var given: [UInt32] = []
        while let queue = quotas.addFlow(of: UserID(1)) { given.append(queue) }
        #expect(given.reduce(UInt64(0)) { $0 + UInt64($1) * 2 } <= limit)
        #expect(given.first == UInt32(Limits.queueBytes))
        #expect(given.last == UInt32(Limits.leastQueueBytes))
        #expect(given.count > 3_000)
        #expect(quotas.addFlow(of: UserID(2)) == UInt32(Limits.queueBytes))
        #expect(quotas.addFlow(of: .root) == UInt32(Limits.queueBytes))
        for queue in given { quotas.removeFlow(of: UserID(1), queue) }
        #expect(quotas.addFlow(of: UserID(1)) == UInt32(Limits.queueBytes))
    }

    @Test("a flow to another host has four queues' worth, and gives as much back")
    func queuesOfRemoteFlows() throws {
        var quotas = FlowQuotas(queueBytesPerUser: 64 << 20)
        var given: [UInt32] = []
        while let queue = quotas.addFlow(of: UserID(1), isRemote: true) { given.append(queue) }
        #expect(given.reduce(UInt64(0)) { $0 + UInt64($1) * 4 } <= 64 << 20)
        #expect(given.first == UInt32(Limits.queueBytes))
        for queue in given { quotas.removeFlow(of: UserID(1), queue, isRemote: true) }
        #expect(quotas.addFlow(of: UserID(1)) == UInt32(Limits.queueBytes))
    }

    @Test("a greeting of another version is refused with ours, and the connection ends")
    func version() throws {
        var rig = Rig()
        var hello = Hello(role: .session)
        hello.version = ProtocolVersion(major: 90, minor: 1)
        rig.handle(
            .connected(
                ConnectionID(1), Credentials(process: ProcessID(5), user: UserID(1), group: GroupID(1))))
        let done = rig.handle(.received(ConnectionID(1), .hello(hello), .nothing))
        #expect(
            done == [
                .report(.peer(.versionRefused(ProcessID(5), hello.version))),
                .send(.versionRefused(.current), ConnectionID(1)), .drop(ConnectionID(1)),
            ])
    }

    @Test("a message out of turn ends the connection")
    func outOfTurn() {
        var town = Town()
        let request = RequestID(1)
        for (connection, message) in [
            (town.server.session, ProcessMessage.accept(request, timeout: nil)),
            (town.client.call, .manage(request, .status)), (town.management, .deallocate(FlowID(1))),
        ] {
            #expect(town.rig.handle(.received(connection, message, .nothing)).contains(.drop(connection)))
        }
        // Two requests at once on one connection.
        let call = town.rig.connect(.call, pid: 10)
        town.rig.accept(call)
        #expect(town.rig.accept(call).contains(.drop(call)))
        town.rig.manager.checkInvariants()
    }
}
