// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Cryptography
import Platform
import Shims
import Testing
import Vocabulary

@testable import NameResolution

/// The driver against a real BIND 9. Each test has a server of its own, and what it waits for has a watchdog.
@Suite struct NameResolutionTests {
    /// Where no server is. The servers of other tests have another address, and may get any port of it at any time.
    private let nobody = DatagramAddress(family: .ipv4, high: 0, low: 0x7f4d_0001, port: 53)
    private struct Rig {
        let lines = Lines()
        let resolution: NameResolution
        private static let watchdog = TimeSpan(seconds: 60)

        init() throws {
            let lines = lines
            resolution = try NameResolution { lines.append("\($0): \($1)") }
        }

        /// The next events, at least one.
        func events() throws -> [DatagramLower.Event] {
            var poll = pollfd(fd: resolution.descriptor, events: Int16(POLLIN), revents: 0)
            let count = CLinux.poll(&poll, 1, Int32(Rig.watchdog.nanoseconds / 1_000_000))
            guard count == 1 else { throw Failure.timedOut }
            return resolution.takeEvents()
        }

        func resolve(_ inquiry: Inquiry) throws -> Resolution? {
            resolution.resolve(ResolutionID(7), inquiry)
            guard case .resolved(ResolutionID(7), let outcome) = try events().first else { return nil }
            return outcome
        }

        /// What the log says of it.
        func publish(_ update: DNSUpdate) -> String {
            let before = lines.all.count
            resolution.publish(update)
            let end = Clock.now() + Rig.watchdog
            while lines.all.count == before, Clock.now() < end { cl_sleep_nanoseconds(5_000_000) }
            return lines.all.last ?? ""
        }
    }

    @Test(
        "a key is read with the rights of who named it",
        .enabled(if: NameServer.isInstalled && geteuid() == 0, "needs bind9, and root"))
    func keyRights() throws {
        let server = try NameServer(withKey: true)
        let rig = try Rig()
        let address = try #require(DatagramAddress(address(.ipv4, 9), port: 3_435))
        for (user, isDone) in [(UserID.root, true), (.nobody, false)] {
            let update = DNSUpdate(
                server: server.address(.ipv4), address: address, change: .add(timeToLive: 60), labels: [label],
                key: server.key, rights: FileRights(user: user, group: GroupID(user.rawValue)))
            #expect(rig.publish(update).hasSuffix("is done.") == isDone)
        }
    }

    @Test("a key is looked at with the rights of who named it, and nothing waits in it")
    func keyLook() throws {
        let directory = try NameServer.makeDirectory()
        let (file, pipe) = (directory + "/key", directory + "/pipe")
        defer {
            for path in [file, pipe] { unlink(path) }
            rmdir(directory)
        }
        try NameServer.write("key", file)
        chmod(file, 0o600)
        mkfifo(pipe, 0o600)
        let rig = try Rig()
        let ours = FileRights(user: UserID(geteuid()), group: GroupID(getegid()))
        let foreign: FileObstacle =
            geteuid() == 0 ? .failure(.accessDenied) : .foreignRights(user: UserID(geteuid()))
        let looks: [(String, FileRights, FileObstacle?)] = [
            (file, ours, nil), (file, .nobody, foreign), (directory + "/none", ours, .failure(.noEntry)),
            (pipe, ours, .notRegular), (directory, ours, .notRegular), ("/dev/zero", ours, .notRegular),
            ("/proc/self/status", ours, .notRegular),
        ]
        for (number, (path, rights, obstacle)) in looks.enumerated() {
            let id = RequestID(UInt64(number))
            rig.resolution.tryKey(id, Array(path.utf8), by: rights)
            #expect(try rig.events() == [.keyTried(id, obstacle)], "\(path)")
        }
    }

    private let label = Array("7862c6fec5ecaef4aa2e3934725e23b3".utf8)

    private func own(_ family: DatagramAddress.Family) -> DatagramAddress { .loopback(family, port: 3_435) }

    /// Any other than the own one.
    private func address(_ family: DatagramAddress.Family, _ last: UInt8) -> [UInt8] {
        own(family).bytes.dropLast() + [last]
    }

    private func update(
        _ server: NameServer, _ address: [UInt8], _ change: DNSUpdate.Change, key: [UInt8]
    ) throws -> DNSUpdate {
        let address = try #require(DatagramAddress(address, port: 3_435))
        return DNSUpdate(
            server: server.address(address.family), address: address, change: change, labels: [label], key: key,
            rights: FileRights(user: UserID(geteuid()), group: GroupID(getegid())))
    }

    @Test(
        "a name is registered, found and unregistered at a DNS server",
        .enabled(if: NameServer.isInstalled, "named is not installed: apt-get install bind9"),
        arguments: [DatagramAddress.Family.ipv4, .ipv6], [false, true])
    func registration(_ family: DatagramAddress.Family, _ withKey: Bool) throws {
        let server = try NameServer(withKey: withKey)
        let rig = try Rig()
        let inquiry = Inquiry(label: label, own: own(family), source: .server(server.address(family)))
        #expect(try rig.resolve(inquiry) == .unknown)
        let peer = address(family, 7)
        let add = try update(server, peer, .add(timeToLive: 86_400), key: server.key)
        #expect(rig.publish(add).hasSuffix("is done."))
        #expect(try rig.resolve(inquiry) == .address(peer, validity: TimeSpan(seconds: 86_400)))
        // Records of the other family are no answer.
        let otherFamily: DatagramAddress.Family = family == .ipv4 ? .ipv6 : .ipv4
        let crossed = Inquiry(label: label, own: own(otherFamily), source: .server(server.address(family)))
        #expect(try rig.resolve(crossed) == .unknown)
        // Two hosts with the same name: the own address is none, and unregistering leaves the other's.
        let ours = try update(server, own(family).bytes, .add(timeToLive: 60), key: server.key)
        #expect(rig.publish(ours).hasSuffix("is done."))
        for _ in 0..<4 {
            guard case .address(peer, _) = try rig.resolve(inquiry) else {
                Issue.record("the own address was an answer")
                continue
            }
        }
        let remove = try update(server, peer, .delete, key: server.key)
        #expect(rig.publish(remove).hasSuffix("is done."))
        #expect(try rig.resolve(inquiry) == .unknown)
        let removeOurs = try update(server, own(family).bytes, .delete, key: server.key)
        #expect(rig.publish(removeOurs).hasSuffix("is done."))
        #expect(try rig.resolve(inquiry) == .unknown)
    }

    @Test(
        "an update without the key that the server wants is an error in the log",
        .enabled(if: NameServer.isInstalled, "named is not installed: apt-get install bind9"))
    func withoutKey() throws {
        let server = try NameServer(withKey: true)
        let rig = try Rig()
        let add = try update(server, address(.ipv4, 7), .add(timeToLive: 60), key: [])
        let line = rig.publish(add)
        #expect(line.hasPrefix("error: Registration of 7862c6fec5ecaef4aa2e3934725e23b3 at DNS server 127.0.0.1:"))
        #expect(line.hasSuffix("failed: nsupdate ended with status 2."))
    }

    @Test("a DNS server that does not answer is a failure, and so is one that is not there")
    func silence() throws {
        let rig = try Rig()
        let silent = try SilentServer()
        let begin = Clock.now()
        #expect(
            try rig.resolve(
                Inquiry(label: label, own: own(.ipv4), source: .server(.loopback(.ipv4, port: silent.port))))
                == .failed(.timedOut))
        // Not early: there were two tries.
        #expect(Clock.now().since(begin) >= TimeSpan(milliseconds: 1_500))
        #expect(
            try rig.resolve(Inquiry(label: label, own: own(.ipv4), source: .server(nobody)))
                == .failed(.connectionRefused))
        let update = DNSUpdate(
            server: .loopback(.ipv4, port: silent.port), address: own(.ipv4), change: .delete, labels: [label])
        if NameServer.isInstalled { #expect(rig.publish(update).contains("failed: nsupdate ended with status 1.")) }
    }

    @Test("more questions than threads are all answered")
    func many() throws {
        let rig = try Rig()
        for number in 0..<100 {
            rig.resolution.resolve(
                ResolutionID(UInt64(number)),
                Inquiry(label: label, own: own(.ipv4), source: .server(nobody)))
        }
        var answered: Set<ResolutionID> = []
        while answered.count < 100 {
            for case .resolved(let id, .failed) in try rig.events() { answered.insert(id) }
        }
    }

    @Test("the resolver of the system knows what /etc/hosts says; the own address is no answer")
    func system() throws {
        let rig = try Rig()
        let inquiry = Inquiry(label: Array("localhost".utf8), own: .loopback(.ipv4, port: 3_435), source: .system)
        #expect(try rig.resolve(inquiry) == .unknown)
        let stranger = DatagramAddress(family: .ipv4, high: 0, low: 0x0a00_0001, port: 3_435)
        let outcome = try rig.resolve(Inquiry(label: Array("localhost".utf8), own: stranger, source: .system))
        #expect(outcome == .address([127, 0, 0, 1], validity: nil))
    }

    @Test("what nsupdate is told")
    func script() throws {
        let server = DatagramAddress(family: .ipv4, high: 0, low: 0x0a00_0001, port: 53)
        let labels = ["ab", "cd"].map { Array($0.utf8) }
        let add = DNSUpdate(server: server, address: server, change: .add(timeToLive: 86_400), labels: [labels[0]])
        #expect(ServerUpdate.script(add) == "server 10.0.0.1\nupdate add ab 86400 A 10.0.0.1\nsend\nquit\n")
        let delete = DNSUpdate(
            server: .loopback(.ipv6, port: 5_353), address: own(.ipv6), change: .delete, labels: labels)
        #expect(
            ServerUpdate.script(delete)
                == "server ::1 5353\nupdate delete ab AAAA ::1\nupdate delete cd AAAA ::1\nsend\nquit\n")
    }

    @Test("a hosts file is read at the beginning and when it has changed")
    func hosts() throws {
        let directory = try NameServer.makeDirectory()
        let path = directory + "/hosts"
        defer {
            unlink(path)
            rmdir(directory)
        }
        let rig = try Rig()
        rig.resolution.follow(
            Array(path.utf8), for: own(.ipv4), by: FileRights(user: UserID(geteuid()), group: GroupID(getegid())))
        #expect(try rig.events() == [.noHosts(.failure(.noEntry))])
        let hash = NameDigest.of(Array("oping".utf8), with: .md5)
        #expect(Array(hexadecimal(hash).utf8) == label)
        func address() throws -> String? {
            guard case .hosts(let file) = try rig.events().first else { return nil }
            return file.address(of: hash)?.description
        }
        try NameServer.write("10.0.0.1 oping", directory + "/new")
        rename(directory + "/new", path)
        #expect(try address() == "10.0.0.1:3435")
        try NameServer.write("10.0.0.2 oping other", directory + "/new")
        rename(directory + "/new", path)
        #expect(try address() == "10.0.0.2:3435")
        // As long, and in the same moment as the last one, or nearly so. It may be seen half-way.
        try NameServer.write("10.0.0.3 oping other", path)
        while try address() != "10.0.0.3:3435" {}
        unlink(path)
        mkdir(path, 0o700)
        while true {
            let events = try rig.events()
            if events.contains(.noHosts(.notRegular)) { break }
            #expect(events == [.noHosts(.failure(.noEntry))])
        }
        rmdir(path)
    }
}
