// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Shims
import Testing
import Vocabulary

@testable import NameResolution

/// The last update of an IPCP that ends, against a real BIND 9.
@Suite struct WithdrawalTests {
    private func labels(_ count: Int) -> [[UInt8]] {
        (0..<count).map { Array(String(UInt64($0) + 0xabcd_0000_0000, radix: 16).utf8) }
    }

    private func update(
        _ server: DatagramAddress, _ change: DNSUpdate.Change, _ labels: [[UInt8]], of host: UInt64 = 1
    ) -> DNSUpdate {
        let own = DatagramAddress.loopback(server.family, port: 3_435)
        let address = DatagramAddress(family: own.family, high: own.high, low: own.low + host, port: own.port)
        return DNSUpdate(server: server, address: address, change: change, labels: labels)
    }

    private func answer(_ label: [UInt8], by server: DatagramAddress) -> Resolution {
        let own = DatagramAddress.loopback(server.family, port: 3_435)
        return ServerInquiry.answer(
            to: Inquiry(label: label, own: own, source: .server(server)), by: server)
    }

    /// For what shall be done, however busy this host is.
    private static let watchdog = TimeSpan(seconds: 60)

    private func send(_ update: DNSUpdate) -> ServerUpdate.Outcome {
        ServerUpdate.send(update, until: Clock.now() + WithdrawalTests.watchdog)
    }

    @Test(
        "all names of a host are withdrawn, in as few updates as possible; those of others stay",
        .enabled(if: NameServer.isInstalled, "named is not installed: apt-get install bind9"),
        arguments: [DatagramAddress.Family.ipv4, .ipv6])
    func withdrawal(_ family: DatagramAddress.Family) throws {
        let server = try NameServer()
        let address = server.address(family)
        let lines = Lines()
        let resolution = try NameResolution { lines.append("\($0): \($1)") }
        let labels = labels(Limits.namesPerUpdate + 7)
        for start in [0, Limits.namesPerUpdate] {
            let part = Array(labels[start...].prefix(Limits.namesPerUpdate))
            #expect(send(update(address, .add(timeToLive: 60), part)) == .done)
        }
        #expect(send(update(address, .add(timeToLive: 60), [labels[0]], of: 2)) == .done)
        resolution.withdraw(update(address, .delete, labels), within: WithdrawalTests.watchdog)
        #expect(
            lines.all == [
                "info: Unregistration of \(Limits.namesPerUpdate) names at DNS server \(address) is done.",
                "info: Unregistration of 7 names at DNS server \(address) is done.",
            ])
        for label in [labels[1], labels[Limits.namesPerUpdate]] + labels.suffix(1) {
            #expect(answer(label, by: address) == .unknown)
        }
        #expect(
            answer(labels[0], by: address)
                == .address(update(address, .delete, [], of: 2).address.bytes, validity: TimeSpan(seconds: 60)))
        // After the end nothing is told any more.
        resolution.publish(update(address, .add(timeToLive: 60), [labels[1]]))
        #expect(lines.all.last?.hasPrefix("error: Registration of abcd00000001 at DNS server") == true)
        #expect(answer(labels[1], by: address) == .unknown)
    }

    @Test(
        "what is being registered when the IPCP ends is not registered at last",
        .enabled(if: NameServer.isInstalled, "named is not installed: apt-get install bind9"))
    func unfinished() throws {
        let server = try NameServer()
        let address = server.address(.ipv4)
        let lines = Lines()
        let resolution = try NameResolution { lines.append("\($0): \($1)") }
        let labels = labels(20)
        // One of them is being told, perhaps.
        for label in labels { resolution.publish(update(address, .add(timeToLive: 60), [label])) }
        resolution.withdraw(update(address, .delete, []), within: WithdrawalTests.watchdog)
        #expect(lines.all.last?.hasPrefix("info: Unregistration of ") == true)
        for label in labels { #expect(answer(label, by: address) == .unknown) }
    }

    @Test("a DNS server that does not answer is not waited for long, and the log says what stays")
    func silence() throws {
        let silent = try SilentServer()
        let address = DatagramAddress.loopback(.ipv4, port: silent.port)
        let lines = Lines()
        let resolution = try NameResolution { lines.append("\($0): \($1)") }
        let labels = labels(Limits.sumsPerLine + 1)
        let sums = labels.map { String(decoding: $0, as: UTF8.self) }
        resolution.publish(update(address, .add(timeToLive: 60), [labels[0]]))
        resolution.withdraw(update(address, .delete, labels))
        // On a busy host it may be over before nsupdate is there.
        let whys =
            NameServer.isInstalled
            ? ["nsupdate took too long", "the time was up before nsupdate was started"] : ["nsupdate is not installed"]
        let all = Array(lines.all.suffix(3))
        let begin = "error: Unregistration of \(labels.count) names at DNS server \(address) failed: "
        #expect(whys.contains { all.first == begin + $0 + "." })
        #expect(
            all.dropFirst() == [
                "error: Still at DNS server \(address): \(sums.dropLast().joined(separator: " "))",
                "error: Still at DNS server \(address): \(sums[sums.count - 1])",
            ])
    }

    @Test("without names there is nothing to withdraw, and nobody is asked")
    func nothing() throws {
        let lines = Lines()
        let resolution = try NameResolution { lines.append("\($0): \($1)") }
        resolution.withdraw(update(.loopback(.ipv4, port: 9), .delete, []))
        #expect(lines.all.isEmpty)
    }
}
