// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary

@testable import Shims

/// A layer is ready when its hosts file was read, or there is none.
@Suite struct HostsBootstrapTests {
    private static let path = Array("/h".utf8)
    private static let rights = FileRights(user: UserID(5), group: GroupID(6))

    private struct Rig {
        var layer = DatagramLayer(.ipv4, seed: 1)
        var now = Instant(nanoseconds: 0)

        mutating func handle(_ event: DatagramEvent) -> [DatagramAction] {
            var actions: [DatagramAction] = []
            layer.handle(event, now: now, into: &actions)
            return actions
        }

        mutating func bootstrap() throws -> [DatagramAction] {
            var configuration = try LayerRig.configuration()
            configuration.parameters = .udp4(DatagramParameters(own: LayerRig.own, hosts: HostsBootstrapTests.path))
            return handle(.request(.bootstrap(RequestID(1), configuration, by: HostsBootstrapTests.rights)))
        }
    }

    private var follow: DatagramAction {
        .lower(.followHosts(HostsBootstrapTests.path, for: LayerRig.own, by: HostsBootstrapTests.rights))
    }

    private func file(_ text: String) -> HostsFile {
        HostsFile(parsing: Array(text.utf8), for: LayerRig.own) { _ in LayerRig.hash }
    }

    private func reason(_ actions: [DatagramAction]) -> String? {
        guard case .reply(.failed(_, _, let reason)) = actions.last else { return nil }
        return String(decoding: reason, as: UTF8.self)
    }

    @Test("the first who asks after the answer finds the names of the file")
    func ready() throws {
        var rig = Rig()
        #expect(try rig.bootstrap() == [.report(.bootstrapping), follow])
        #expect(rig.handle(.lower(.hosts(file("10.0.0.2 x")))) == [.lower(.open(LayerRig.own))])
        // It changes while the socket is opened: the last one counts.
        #expect(rig.handle(.lower(.hosts(file("10.0.0.3 x")))).isEmpty)
        let actions = rig.handle(.lower(.opened))
        #expect(actions.contains(.report(.lower(.hostsRead(names: 1, mistakes: 0)))))
        #expect(actions.last == .reply(.bootstrapped(RequestID(1), messageBytes: 8_976, DatagramLayer.terms)))
        #expect(
            rig.handle(.request(.query(RequestID(2), hash: LayerRig.hash))) == [.reply(.succeeded(RequestID(2)))])
    }

    @Test(
        "a file that cannot be read is no layer, and the reason says what to do; then another can be made",
        arguments: [
            (FileObstacle.failure(.noEntry), "no such file or directory"),
            (.failure(.accessDenied), "permission denied"), (.notRegular, "write its contents to an ordinary file"),
            (.tooLong, "longer than 16 MiB"), (.unsteady, "rename it"),
            (.foreignRights(user: UserID(9)), "irmd runs as uid 9"),
        ])
    func unreadable(_ obstacle: FileObstacle, _ words: String) throws {
        var rig = Rig()
        _ = try rig.bootstrap()
        let actions = rig.handle(.lower(.noHosts(obstacle)))
        #expect(LayerRig.failure(in: actions) == obstacle.failure)
        #expect(actions.contains(.lower(.leaveHosts)))
        let said = try #require(reason(actions))
        #expect(said.hasPrefix("cannot read hosts file /h: ") && said.contains(words))
        #expect(rig.layer.deadline == nil)
        // What was on its way is nothing any more.
        #expect(rig.handle(.lower(.hosts(file("10.0.0.2 x")))).isEmpty)
        #expect(try rig.bootstrap().last == follow)
    }

    @Test("a file system that does not answer is waited for 10 s, and the rest of the IPCP works meanwhile")
    func late() throws {
        var rig = Rig()
        _ = try rig.bootstrap()
        #expect(rig.layer.deadline == rig.now + Limits.namedFilesTimeout)
        #expect(try LayerRig.failure(in: rig.bootstrap()) == .busy)
        let described = rig.handle(.request(.describe(RequestID(3))))
        #expect(described.count == 1)
        rig.now = rig.now + Limits.namedFilesTimeout
        let actions = rig.handle(.timeout)
        #expect(LayerRig.failure(in: actions) == .timedOut && actions.contains(.lower(.leaveHosts)))
    }

    @Test("if there is no socket the file is not followed any more")
    func notOpened() throws {
        var rig = Rig()
        _ = try rig.bootstrap()
        _ = rig.handle(.lower(.hosts(file(""))))
        let actions = rig.handle(.lower(.notOpened(.addressInUse)))
        #expect(actions.contains(.lower(.leaveHosts)) && LayerRig.failure(in: actions) == .addressInUse)
    }

    @Test("when the file is gone later, what was read stays, and a warning says so")
    func gone() throws {
        var rig = Rig()
        _ = try rig.bootstrap()
        _ = rig.handle(.lower(.hosts(file("10.0.0.2 x"))))
        _ = rig.handle(.lower(.opened))
        let actions = rig.handle(.lower(.noHosts(.notRegular)))
        let report = DatagramLower.Report.hostsUnreadable(path: HostsBootstrapTests.path, .notRegular)
        #expect(actions == [.report(.lower(report))] && report.level == .warning)
        #expect(report.text.hasSuffix("What was read before is still used."))
        #expect(
            rig.handle(.request(.query(RequestID(2), hash: LayerRig.hash))) == [.reply(.succeeded(RequestID(2)))])
    }
}
