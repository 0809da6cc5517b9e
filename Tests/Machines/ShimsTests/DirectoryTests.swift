// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Shims
import Testing
import Vocabulary

@Suite struct DirectoryTests {
    private let hash = [UInt8](repeating: 0xab, count: 16)
    private let label = Array(String(repeating: "ab", count: 16).utf8)
    private let own = DirectoryTests.address(1)
    private let other = DirectoryTests.address(2)
    private let server = DirectoryTests.address(53)

    private static func address(_ last: UInt64) -> DatagramAddress {
        DatagramAddress(family: .ipv4, high: 0, low: 0x0a00_0000 | last, port: 3_435)
    }

    private func hosts(_ address: DatagramAddress, _ hash: [UInt8]) -> HostsFile {
        HostsFile(parsing: Array("\(address.addressText) x".utf8), for: own) { _ in hash }
    }

    private final class Rig {
        var directory: Directory
        var now = Instant(nanoseconds: 1_000_000_000_000)
        private var nextAsker: UInt64 = 0

        init(_ directory: Directory) { self.directory = directory }

        func wait(_ span: TimeSpan) { now = now + span }

        /// Returns the inquiry that it needs.
        func look(
            _ hash: [UInt8], of user: UserID = .nobody
        ) -> (asker: RequestID, inquiry: (id: ResolutionID, Inquiry)?) {
            nextAsker += 1
            let asker = RequestID(nextAsker)
            var actions: [DatagramAction] = []
            directory.look(up: hash, for: asker, of: user, now: now, into: &actions)
            return (asker, Rig.inquiry(in: actions))
        }

        func resolve(_ id: ResolutionID, _ resolution: Resolution) -> (id: ResolutionID, Inquiry)? {
            var actions: [DatagramAction] = []
            directory.resolved(id, resolution, now: now, into: &actions)
            return Rig.inquiry(in: actions)
        }

        func adopt(_ file: HostsFile) -> [DatagramAction] {
            var actions: [DatagramAction] = []
            directory.adopt(file, now: now, into: &actions)
            return actions
        }

        func expire() -> [DatagramAction] {
            var actions: [DatagramAction] = []
            directory.expire(now: now, into: &actions)
            return actions
        }

        func verdicts() -> [Directory.Verdict] { directory.takeAnswers().map(\.verdict) }

        static func inquiry(in actions: [DatagramAction]) -> (id: ResolutionID, Inquiry)? {
            for case .lower(.resolve(let id, let inquiry)) in actions { return (id, inquiry) }
            return nil
        }
    }

    @Test("without server and hosts file the system is asked for the hexadecimal hash, and believed for a minute")
    func system() throws {
        let rig = Rig(Directory(own: own, server: nil))
        let inquiry = try #require(rig.look(hash).inquiry)
        #expect(inquiry.1 == Inquiry(label: label, own: own, source: .system))
        #expect(rig.verdicts().isEmpty)
        #expect(rig.resolve(inquiry.id, .address(other.bytes, validity: nil)) == nil)
        #expect(rig.verdicts() == [.known(other)])
        rig.wait(TimeSpan(seconds: 59))
        #expect(rig.look(hash).inquiry == nil)
        #expect(rig.verdicts() == [.known(other)])
        rig.wait(TimeSpan(seconds: 1))
        #expect(rig.look(hash).inquiry != nil)
    }

    @Test("the server comes before the hosts file, and that before the system")
    func order() throws {
        let rig = Rig(Directory(own: own, server: server))
        _ = rig.adopt(hosts(other, hash))
        let first = try #require(rig.look(hash).inquiry)
        #expect(first.1.source == .server(server))
        #expect(rig.resolve(first.id, .unknown) == nil)
        #expect(rig.verdicts() == [.known(other)])
        // Another name is not in the file.
        let strange = [UInt8](repeating: 1, count: 16)
        let second = try #require(rig.look(strange).inquiry)
        let third = try #require(rig.resolve(second.id, .unknown))
        #expect(third.1.source == .system)
        #expect(rig.resolve(third.id, .unknown) == nil)
        #expect(rig.verdicts() == [.unknown])
    }

    @Test("an answer of the server is believed for as long as it says, within bounds")
    func validity() throws {
        for (said, believed) in [(0, 1), (7, 7), (1 << 40, 86_400)] as [(UInt64, UInt64)] {
            let rig = Rig(Directory(own: own, server: server))
            let first = try #require(rig.look(hash).inquiry)
            _ = rig.resolve(first.id, .address(other.bytes, validity: TimeSpan(seconds: said)))
            rig.wait(TimeSpan(milliseconds: believed * 1_000 - 1))
            #expect(rig.look(hash).inquiry == nil)
            rig.wait(TimeSpan(milliseconds: 1))
            #expect(rig.look(hash).inquiry != nil)
        }
    }

    @Test("that a name is unknown is believed for a moment")
    func negative() throws {
        let rig = Rig(Directory(own: own, server: nil))
        let first = try #require(rig.look(hash).inquiry)
        _ = rig.resolve(first.id, .unknown)
        rig.wait(TimeSpan(milliseconds: 4_999))
        #expect(rig.look(hash).inquiry == nil)
        #expect(rig.verdicts() == [.unknown, .unknown])
        rig.wait(TimeSpan(milliseconds: 1))
        #expect(rig.look(hash).inquiry != nil)
    }

    @Test("a server that does not answer is reported, and named to the asker if nobody else knows")
    func silence() throws {
        let rig = Rig(Directory(own: own, server: server))
        let first = try #require(rig.look(hash).inquiry)
        var actions: [DatagramAction] = []
        rig.directory.resolved(first.id, .failed(.timedOut), now: rig.now, into: &actions)
        #expect(actions.first == .report(.lower(.notResolved(hash: hash, .server(server), .timedOut, others: 0))))
        let second = try #require(Rig.inquiry(in: actions))
        _ = rig.resolve(second.id, .unknown)
        let answers = rig.directory.takeAnswers()
        #expect(answers.map(\.verdict) == [.failed(.server(server), .timedOut)])
        #expect(
            answers.first?.reason == "DNS server 10.0.0.53:3435 could not be asked for the name: timed out")
    }

    @Test("a server that does not answer is passed over for a moment, by all names")
    func passedOver() throws {
        let strange = [UInt8](repeating: 1, count: 16)
        for (failure, isPassedOver) in [(Failure.timedOut, true), (.connectionRefused, true), (.inputOutput, false)] {
            let rig = Rig(Directory(own: own, server: server))
            let first = try #require(rig.look(hash).inquiry)
            _ = rig.resolve(first.id, .failed(failure))
            _ = rig.adopt(hosts(other, hash))
            #expect(rig.verdicts() == [.known(other)])
            let second = try #require(rig.look(strange).inquiry)
            #expect((second.1.source == .system) == isPassedOver)
            guard isPassedOver else { continue }
            _ = rig.resolve(second.id, .unknown)
            #expect(rig.look(hash).inquiry == nil)
            #expect(rig.verdicts() == [.failed(.server(server), failure), .known(other)])
            rig.wait(Limits.unknownValidity)
            #expect(rig.look(strange).inquiry?.1.source == .server(server))
        }
    }

    @Test("many askers of a name make one inquiry")
    func merged() throws {
        let rig = Rig(Directory(own: own, server: nil))
        let first = rig.look(hash)
        let id = try #require(first.inquiry?.id)
        let others = (0..<9).map { _ in rig.look(hash) }
        #expect(others.allSatisfy { $0.inquiry == nil })
        _ = rig.resolve(id, .address(other.bytes, validity: nil))
        #expect(rig.directory.takeAnswers().map(\.asker) == [first.asker] + others.map(\.asker))
        #expect(rig.directory.takeAnswers().isEmpty)
        rig.wait(TimeSpan(seconds: 100))
        _ = rig.expire()
        #expect(rig.verdicts().isEmpty)
    }

    @Test("the own address is no answer, from whomever; nor is one of zeroes or of another kind")
    func ownAddress() throws {
        for bytes in [own.bytes, [0, 0, 0, 0], [UInt8](repeating: 1, count: 16), [1], []] {
            let rig = Rig(Directory(own: own, server: server))
            _ = rig.adopt(hosts(own, hash))
            let first = try #require(rig.look(hash).inquiry)
            let second = try #require(rig.resolve(first.id, .address(bytes, validity: nil)))
            #expect(rig.resolve(second.id, .address(bytes, validity: nil)) == nil)
            #expect(rig.verdicts() == [.unknown])
        }
    }

    @Test("a link-local address from a DNS server is on the link of the layer")
    func linkLocal() throws {
        func verdict(_ own: DatagramAddress) throws -> Directory.Verdict? {
            let peer = DatagramAddress(family: .ipv6, high: 0xfe80 << 48, low: 2, port: 1)
            let rig = Rig(Directory(own: own, server: server))
            let first = try #require(rig.look(hash).inquiry)
            let second = rig.resolve(first.id, .address(peer.bytes, validity: nil))
            if let second { _ = rig.resolve(second.id, .unknown) }
            return rig.verdicts().first
        }
        let own = DatagramAddress(family: .ipv6, high: 0xfe80 << 48, low: 1, port: 1, scope: 5)
        let peer = DatagramAddress(family: .ipv6, high: own.high, low: 2, port: 1, scope: 5)
        #expect(try verdict(own) == .known(peer))
        #expect(try verdict(DatagramAddress(family: .ipv6, high: 1, low: 1, port: 1)) == .unknown)
    }

    @Test("names that are registered here are asked for elsewhere all the same")
    func registered() throws {
        let rig = Rig(Directory(own: own, server: nil))
        var actions: [DatagramAction] = []
        #expect(rig.directory.register(hash, into: &actions))
        #expect(actions.isEmpty)
        #expect(rig.look(hash).inquiry != nil)
    }

    @Test("names are published at the server with the own address, and withdrawn")
    func published() {
        var directory = Directory(own: own, server: server, key: [1])
        var actions: [DatagramAction] = []
        #expect(directory.register(hash, into: &actions))
        #expect(directory.isRegistered(hash))
        #expect(directory.unregister(hash, into: &actions))
        #expect(!directory.unregister(hash, into: &actions))
        func update(_ change: DNSUpdate.Change) -> DatagramAction {
            .lower(.publish(DNSUpdate(server: server, address: own, change: change, labels: [label], key: [1])))
        }
        #expect(actions == [update(.add(timeToLive: 86_400)), update(.delete)])
    }

    @Test("at the end the names that are still registered are withdrawn at once")
    func withdrawn() {
        var directory = Directory(own: own, server: server, key: [1])
        var actions: [DatagramAction] = []
        #expect(directory.register(hash, into: &actions))
        #expect(directory.register([UInt8](repeating: 1, count: 16), into: &actions))
        #expect(directory.unregister([UInt8](repeating: 1, count: 16), into: &actions))
        actions.removeAll()
        directory.withdraw(into: &actions)
        func update(_ labels: [[UInt8]]) -> DatagramAction {
            .lower(.withdraw(DNSUpdate(server: server, address: own, change: .delete, labels: labels, key: [1])))
        }
        #expect(actions == [update([label])])
        #expect(!directory.isRegistered(hash))
        var withoutServer = Directory(own: own, server: nil)
        actions.removeAll()
        #expect(withoutServer.register(hash, into: &actions))
        withoutServer.withdraw(into: &actions)
        #expect(actions.isEmpty)
    }

    @Test("a new hosts file answers at once, also those who wait for the system, and ends what was believed")
    func newHosts() throws {
        let rig = Rig(Directory(own: own, server: nil, hosts: Array("/h".utf8)))
        let first = try #require(rig.look(hash).inquiry)
        #expect(rig.adopt(hosts(other, hash)) == [.report(.lower(.hostsRead(names: 1, mistakes: 0)))])
        #expect(rig.verdicts() == [.known(other)])
        // Too late to matter.
        #expect(rig.resolve(first.id, .unknown) == nil)
        #expect(rig.look(hash).inquiry == nil)
        #expect(rig.verdicts() == [.known(other)])
        _ = rig.adopt(hosts(DirectoryTests.address(3), hash))
        #expect(rig.look(hash).inquiry == nil)
        #expect(rig.verdicts() == [.known(DirectoryTests.address(3))])
        _ = rig.adopt(hosts(other, []))
        let second = try #require(rig.look(hash).inquiry)
        _ = rig.resolve(second.id, .unknown)
        _ = rig.adopt(hosts(other, hash))
        #expect(rig.look(hash).inquiry == nil)
        #expect(rig.verdicts() == [.unknown, .known(other)])
    }

    @Test("mistakes of the hosts file are reported, and one that cannot be read leaves what was known")
    func badHosts() {
        let rig = Rig(Directory(own: own, server: nil, hosts: Array("/h".utf8)))
        let file = HostsFile(parsing: Array("10.0.0.2 x\nrubbish".utf8), for: own) { _ in hash }
        let reports = rig.adopt(file).map { if case .report(let report) = $0 { report.text } else { "" } }
        #expect(
            reports == [
                "Read the hosts file: 1 name, 1 mistake.", "Hosts file /h, line 2: \"rubbish\" is not an address.",
            ])
        var actions: [DatagramAction] = []
        rig.directory.lackHosts(.failure(.noEntry), now: rig.now, into: &actions)
        #expect(actions == [.report(.lower(.hostsUnreadable(path: Array("/h".utf8), .failure(.noEntry))))])
        #expect(rig.look(hash).inquiry == nil)
        #expect(rig.verdicts() == [.known(other)])
    }

    @Test("a hosts file that changes each second, with other mistakes each time, is said to have changed now and then")
    func restlessHosts() {
        let rig = Rig(Directory(own: own, server: nil, hosts: Array("/h".utf8)))
        var lines = 0
        for second in 0..<600 {
            let mistakes = (0..<20).map { "rubbish\(second).\($0)\n" }.joined()
            let file = HostsFile(parsing: Array("10.0.0.2 x\n\(mistakes)".utf8), for: own) { _ in hash }
            lines += rig.adopt(file).count
            if second % 2 == 0 {
                var actions: [DatagramAction] = []
                rig.directory.lackHosts(.failure(.noEntry), now: rig.now, into: &actions)
                lines += actions.count
            }
            rig.wait(TimeSpan(seconds: 1))
            lines += rig.expire().count
        }
        let most = Limits.hostsNewsAtOnce + 10
        #expect(lines > most && lines <= most * (Limits.reportedMistakes + 2))
    }

    @Test("the log says at last what is in the hosts file, and mistakes that it has named not again")
    func lastHosts() throws {
        let rig = Rig(Directory(own: own, server: nil, hosts: Array("/h".utf8)))
        func file(_ names: Int) -> HostsFile {
            let lines = (0..<names).map { "10.0.0.2 x\($0)\n" }.joined()
            return HostsFile(parsing: Array("rubbish\n\(lines)".utf8), for: own) { $0 }
        }
        #expect(rig.adopt(file(0)).count == 2)
        for names in 1..<Limits.hostsNewsAtOnce {
            #expect(rig.adopt(file(names)) == [.report(.lower(.hostsRead(names: names, mistakes: 1)))])
        }
        for names in 10...12 { #expect(rig.adopt(file(names)).isEmpty) }
        let deadline = try #require(rig.directory.deadline)
        #expect(deadline == rig.now + Limits.hostsNewsInterval)
        rig.wait(Limits.hostsNewsInterval)
        #expect(
            rig.expire() == [
                .report(.lower(.hostsNotReported(times: 2))), .report(.lower(.hostsRead(names: 12, mistakes: 1))),
            ])
        #expect(rig.expire().isEmpty && rig.directory.deadline == nil)
        rig.wait(TimeSpan(seconds: 600))
        for names in 0..<Limits.hostsNewsAtOnce { #expect(!rig.adopt(file(names)).isEmpty) }
        #expect(rig.adopt(file(20)).isEmpty)
    }

    @Test("an asker is answered in time; what comes late is for the next one")
    func late() throws {
        let rig = Rig(Directory(own: own, server: nil))
        let first = try #require(rig.look(hash).inquiry)
        rig.wait(TimeSpan(seconds: 1))
        _ = rig.look(hash)
        #expect(rig.directory.deadline == rig.now + TimeSpan(seconds: 4))
        rig.wait(TimeSpan(seconds: 4))
        _ = rig.expire()
        #expect(rig.verdicts() == [.failed(.system, .timedOut)])
        rig.wait(TimeSpan(seconds: 1))
        _ = rig.expire()
        #expect(rig.verdicts() == [.failed(.system, .timedOut)])
        #expect(rig.directory.deadline == nil)
        #expect(rig.look(hash).inquiry == nil)
        _ = rig.resolve(first.id, .address(other.bytes, validity: nil))
        #expect(rig.verdicts() == [.known(other)])
    }

    /// All names that one more user may ask for; false if there are none.
    private func asked(_ rig: Rig, _ hash: (Int) -> [UInt8], _ user: inout UInt32) -> Bool {
        user += 1
        var count = 0
        while rig.look(hash(Int(user) * 10_000 + count), of: UserID(user)).inquiry != nil { count += 1 }
        return count > 0
    }

    @Test("one user's bogus names leave half of the questions to others, and their threads")
    func shares() throws {
        let rig = Rig(Directory(own: own, server: nil))
        func hash(_ number: Int) -> [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        for number in 0..<5_000 { _ = rig.look(hash(number), of: UserID(1)) }
        #expect(rig.verdicts().count == 5_000 - Limits.questions / 16 * 15 / 2)
        let inquiry = try #require(rig.look(hash(9_999), of: UserID(2)).inquiry)
        #expect(inquiry.1.user == UserID(2))
        // Also when nobody waits any more for what the first has asked, and he asks again.
        rig.wait(Limits.questionTimeout)
        _ = rig.expire()
        for number in 5_000..<9_000 { #expect(rig.look(hash(number), of: UserID(1)).inquiry == nil) }
        #expect(rig.look(hash(9_998), of: UserID(2)).inquiry != nil)
        _ = rig.verdicts()
        _ = rig.resolve(inquiry.id, .address(other.bytes, validity: nil))
        #expect(rig.verdicts() == [])
    }

    @Test("names that there are not do not drive out those that there are")
    func unknownNames() throws {
        let rig = Rig(Directory(own: own, server: server))
        func hash(_ number: Int) -> [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        let good = try #require(rig.look(self.hash).inquiry)
        _ = rig.resolve(good.id, .address(other.bytes, validity: TimeSpan(seconds: 60)))
        for number in 0..<(Limits.rememberedNames + 100) {
            let first = try #require(rig.look(hash(number)).inquiry)
            let second = try #require(rig.resolve(first.id, .unknown))
            _ = rig.resolve(second.id, .unknown)
        }
        #expect(rig.look(self.hash).inquiry == nil)
        #expect(rig.verdicts().last == .known(other))
    }

    @Test("that somebody does not answer is said once in a while, with the number of names")
    func complaints() throws {
        let rig = Rig(Directory(own: own, server: nil))
        var said: [IPCPReport<DatagramLower>] = []
        func fail(_ number: UInt8) throws {
            let hash = [UInt8](repeating: number, count: 16)
            let inquiry = try #require(rig.look(hash).inquiry)
            var actions: [DatagramAction] = []
            rig.directory.resolved(inquiry.id, .failed(.timedOut), now: rig.now, into: &actions)
            said += actions.compactMap { if case .report(let report) = $0 { report } else { nil } }
        }
        for number in 0..<100 as Range<UInt8> { try fail(number) }
        #expect(said.count == 1)
        rig.wait(Limits.unknownValidity)
        try fail(100)
        #expect(
            said.last?.text
                == "the resolver of this system could not be asked for 64646464: timed out; nor for 99 others before.")
    }

    @Test("there is an end of questions, and of what is remembered")
    func bounds() throws {
        let rig = Rig(Directory(own: own, server: nil))
        func hash(_ number: Int) -> [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        // Many users: each has what the others leave.
        var user: UInt32 = 0
        while asked(rig, hash, &user) {}
        #expect(user >= 8)
        let refused = rig.verdicts().count
        #expect(refused == Int(user))
        rig.wait(Limits.questionTimeout)
        _ = rig.expire()
        #expect(rig.verdicts().count == Limits.questions / 16 * 15)
        // They are still being asked for.
        #expect(rig.look(hash(-1), of: UserID(999)).inquiry == nil)
        #expect(rig.verdicts() == [.failed(.system, .busy)])
        let full = Rig(Directory(own: own, server: nil))
        for number in 0...Limits.rememberedNames {
            let inquiry = try #require(full.look(hash(number)).inquiry)
            _ = full.resolve(inquiry.id, .address(other.bytes, validity: nil))
        }
        #expect(full.look(hash(Limits.rememberedNames)).inquiry == nil)
        #expect(full.look(hash(0)).inquiry != nil)
    }

    @Test("what has proved wrong is forgotten")
    func forgotten() throws {
        let rig = Rig(Directory(own: own, server: nil))
        let first = try #require(rig.look(hash).inquiry)
        _ = rig.resolve(first.id, .address(other.bytes, validity: nil))
        rig.directory.forget(hash)
        #expect(rig.look(hash).inquiry != nil)
    }

    @Test("any events in any order answer each asker once")
    func random() {
        for seed in 0..<300 {
            var generator = SystemRandomNumberGenerator()
            let rig = Rig(Directory(own: own, server: seed % 2 == 0 ? server : nil))
            var asked = 0
            var open: [ResolutionID] = []
            var answered: [RequestID] = []
            for _ in 0..<200 {
                let hash = [UInt8.random(in: 0...5, using: &generator)]
                var next: (id: ResolutionID, Inquiry)?
                switch Int.random(in: 0...5, using: &generator) {
                case 0, 1:
                    asked += 1
                    next = rig.look(hash).inquiry
                case 2, 3:
                    guard let id = open.randomElement(using: &generator) else { continue }
                    let outcomes: [Resolution] = [
                        .unknown, .failed(.timedOut), .address(other.bytes, validity: nil), .address([], validity: nil),
                    ]
                    next = rig.resolve(id, outcomes.randomElement(using: &generator) ?? .unknown)
                case 4: _ = rig.adopt(hosts(other, hash))
                default:
                    rig.wait(TimeSpan(milliseconds: UInt64.random(in: 0...4_000, using: &generator)))
                    _ = rig.expire()
                }
                if let next { open.append(next.id) }
                answered += rig.directory.takeAnswers().map(\.asker)
            }
            rig.wait(Limits.questionTimeout)
            _ = rig.expire()
            answered += rig.directory.takeAnswers().map(\.asker)
            #expect(answered.count == asked)
            #expect(Set(answered).count == asked)
        }
    }
}
