// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary

@testable import Shims

/// A layer is ready when its key was looked at, whoever has asked for it, or there is none.
@Suite struct KeyBootstrapTests {
    private static let rights = FileRights(user: UserID(5), group: GroupID(6))

    private struct Rig {
        var layer = DatagramLayer(.ipv4, seed: 1)
        var now = Instant(nanoseconds: 0)

        mutating func handle(_ event: DatagramEvent) -> [DatagramAction] {
            var actions: [DatagramAction] = []
            layer.handle(event, now: now, into: &actions)
            return actions
        }

        mutating func bootstrap(_ id: UInt64 = 1, hosts: String = "") throws -> [DatagramAction] {
            var configuration = try LayerRig.configuration()
            configuration.parameters = .udp4(
                DatagramParameters(
                    own: LayerRig.own, server: DatagramAddress([10, 0, 0, 9], port: 53),
                    hosts: Array(hosts.utf8), key: Array("/k".utf8)))
            return handle(.request(.bootstrap(RequestID(id), configuration, by: KeyBootstrapTests.rights)))
        }
    }

    private func look(_ id: UInt64 = 1) -> DatagramAction {
        .lower(.tryKey(RequestID(id), Array("/k".utf8), by: KeyBootstrapTests.rights))
    }

    private func reason(_ actions: [DatagramAction]) -> String? {
        guard case .reply(.failed(_, _, let reason)) = actions.last else { return nil }
        return String(decoding: reason, as: UTF8.self)
    }

    @Test("a key that can be read is followed by the socket, or by the hosts file, which have what is left of the time")
    func ready() throws {
        var rig = Rig()
        #expect(try rig.bootstrap() == [.report(.bootstrapping), look()])
        #expect(rig.handle(.lower(.keyTried(RequestID(1), nil))) == [.lower(.open(LayerRig.own))])
        #expect(
            rig.handle(.lower(.opened)).last
                == .reply(.bootstrapped(RequestID(1), messageBytes: 8_976, DatagramLayer.terms)))
        var other = Rig()
        #expect(try other.bootstrap(hosts: "/h") == [.report(.bootstrapping), look()])
        let deadline = other.now + Limits.namedFilesTimeout
        other.now = other.now + TimeSpan(seconds: 3)
        #expect(
            other.handle(.lower(.keyTried(RequestID(1), nil)))
                == [.lower(.followHosts(Array("/h".utf8), for: LayerRig.own, by: KeyBootstrapTests.rights))])
        #expect(other.layer.deadline == deadline)
    }

    @Test("a key that cannot be read is no layer, and the reason says what to do; then another can be made")
    func unreadable() throws {
        for obstacle in [FileObstacle.failure(.noEntry), .notRegular, .tooLong, .foreignRights(user: UserID(9))] {
            var rig = Rig()
            _ = try rig.bootstrap(hosts: "/h")
            let actions = rig.handle(.lower(.keyTried(RequestID(1), obstacle)))
            #expect(LayerRig.failure(in: actions) == obstacle.failure)
            #expect(reason(actions) == "cannot read key file /k: \(obstacle)")
            #expect(!actions.contains(.lower(.leaveHosts)) && rig.layer.deadline == nil)
            #expect(try rig.bootstrap().last == look())
        }
    }

    @Test("a file system that does not answer is waited for 10 s, and what it says later is nothing")
    func late() throws {
        var rig = Rig()
        _ = try rig.bootstrap()
        #expect(rig.layer.deadline == rig.now + Limits.namedFilesTimeout)
        #expect(try LayerRig.failure(in: rig.bootstrap(2)) == .busy)
        rig.now = rig.now + Limits.namedFilesTimeout
        let actions = rig.handle(.timeout)
        #expect(LayerRig.failure(in: actions) == .timedOut)
        #expect(rig.handle(.lower(.keyTried(RequestID(1), nil))).isEmpty)
        // Not to a later request either.
        #expect(try rig.bootstrap(3).last == look(3))
        #expect(rig.handle(.lower(.keyTried(RequestID(1), nil))).isEmpty)
        #expect(rig.handle(.lower(.keyTried(RequestID(3), nil))) == [.lower(.open(LayerRig.own))])
    }
}
