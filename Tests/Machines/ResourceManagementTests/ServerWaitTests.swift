// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// Names that were told to wait for their servers.
@Suite struct ServerWaitTests {
    private var rig = Rig()
    private let management: ConnectionID
    private let client: Attached

    init() {
        management = rig.connect(.management, pid: 2, uid: 500)
        client = Attached(&rig, pid: 20)
    }

    private mutating func create(_ name: String, wait: TimeSpan) {
        rig.manage(
            .createName(NameSettings(name: service(name), balancing: .roundRobin, wait: wait)), on: management)
        rig.clear()
    }

    private mutating func bind(_ server: Attached, _ name: String = "late") {
        rig.manage(.bindProcess(server.pid, service(name)), on: management, .process(UserID(1_000)))
    }

    @Test("a name that was told nothing fails at once; so does one that waits, for a client that does not")
    mutating func atOnce() {
        create("now", wait: TimeSpan(nanoseconds: 0))
        #expect(rig.allocate(client.call, "now").failures == [.ipcp])
        create("late", wait: TimeSpan(seconds: 5))
        #expect(rig.allocate(client.call, "late", timeout: TimeSpan(nanoseconds: 0)).failures == [.ipcp])
        #expect(rig.allocate(client.call, "unknown").failures == [.name])
        rig.manager.checkInvariants()
    }

    @Test("a client that starts first gets the server that binds and accepts in time")
    mutating func inTime() throws {
        create("late", wait: TimeSpan(seconds: 5))
        #expect(rig.allocate(client.call, "late").failures.isEmpty)
        rig.manager.checkInvariants()
        #expect(rig.advance(TimeSpan(milliseconds: 4_999)).failures.isEmpty)
        let server = Attached(&rig, pid: 10)
        bind(server)
        let offer = try #require(rig.accept(server.call).offers.first)
        #expect(offer.connection == server.call)
        rig.take(offer.offer.flow, server.call)
        rig.take(offer.offer.flow, client.call)
        #expect(rig.manager.book.flows[offer.offer.flow]?.state == .allocated)
        rig.manager.checkInvariants()
    }

    @Test("a server that accepts before it is bound, and one that runs a program that is bound later, count too")
    mutating func otherOrders() throws {
        create("late", wait: TimeSpan(seconds: 5))
        let server = Attached(&rig, pid: 10, program: "/bin/server")
        rig.accept(server.call)
        rig.allocate(client.call, "late")
        rig.clear()
        bind(server)
        #expect(rig.actions.offers.first?.connection == server.call)
        create("other", wait: TimeSpan(seconds: 5))
        let second = Attached(&rig, pid: 21)
        rig.allocate(second.call, "other")
        let program = Array("/bin/second".utf8)
        rig.manage(
            .bindProgram(program: program, service("other"), autoStart: false, arguments: [], directory: []),
            on: management, .program(program))
        let another = Attached(&rig, pid: 11, uid: 500, program: "/bin/second")
        #expect(rig.accept(another.call).offers.first?.connection == another.call)
        rig.manager.checkInvariants()
    }

    @Test("when the time is over the client is told, never early")
    mutating func over() {
        create("late", wait: TimeSpan(seconds: 5))
        rig.allocate(client.call, "late")
        #expect(rig.advance(TimeSpan(milliseconds: 4_999)).failures.isEmpty)
        let done = rig.advance(TimeSpan(milliseconds: 1))
        #expect(done.failures(on: client.call) == [.ipcp])
        #expect(done.reasons == ["nobody served late within its waiting time"])
        #expect(rig.manager.book.waiting.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("the client's own deadline comes first if it is earlier, also for a name that waits as long as its clients")
    mutating func clientDeadline() {
        create("late", wait: TimeSpan(seconds: 5))
        rig.allocate(client.call, "late", timeout: TimeSpan(seconds: 2))
        #expect(rig.advance(TimeSpan(seconds: 2)).failures(on: client.call) == [.timedOut])
        create("patient", wait: .unlimited)
        rig.allocate(client.call, "patient")
        #expect(rig.advance(TimeSpan(milliseconds: 19_999)).failures.isEmpty)
        #expect(rig.advance(TimeSpan(milliseconds: 1)).failures(on: client.call) == [.timedOut])
    }

    @Test("a server that is bound in time may accept later; one that leaves again is waited for once more")
    mutating func boundOnly() {
        create("late", wait: TimeSpan(seconds: 5))
        rig.allocate(client.call, "late")
        rig.advance(TimeSpan(seconds: 4))
        let server = Attached(&rig, pid: 10)
        bind(server)
        #expect(rig.advance(TimeSpan(seconds: 6)).failures.isEmpty)
        // It ends at 10 s, and the name waits until 15 s.
        #expect(rig.handle(.died(server.pid)).failures.isEmpty)
        rig.manager.checkInvariants()
        #expect(rig.advance(TimeSpan(milliseconds: 4_999)).failures.isEmpty)
        #expect(rig.advance(TimeSpan(milliseconds: 1)).failures(on: client.call) == [.ipcp])
    }

    @Test("a server that dies before it has the flow, or cannot map it and leaves, does not end the wait")
    mutating func passing() throws {
        create("late", wait: TimeSpan(seconds: 5))
        rig.allocate(client.call, "late")
        rig.advance(TimeSpan(seconds: 1))
        for number in 0..<3 as Range<Int32> {
            let server = Attached(&rig, pid: 10 + number)
            bind(server)
            let offer = try #require(rig.accept(server.call).offers.first)
            if number == 1 {
                rig.handle(.received(server.call, .refused(offer.offer.flow, .outOfMemory), .nothing))
            }
            #expect(rig.handle(.died(server.pid)).failures.isEmpty)
            rig.manager.checkInvariants()
            rig.advance(TimeSpan(milliseconds: 500))
        }
        #expect(rig.advance(TimeSpan(milliseconds: 2_499)).failures.isEmpty)
        #expect(rig.advance(TimeSpan(milliseconds: 1)).failures(on: client.call) == [.ipcp])
        #expect(rig.manager.book.waiting.isEmpty && rig.manager.book.flows.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("a request of another host goes on waiting too, in its place")
    mutating func passingForArrivals() throws {
        var network = try Network(&rig, on: management)
        create("far", wait: TimeSpan(seconds: 5))
        network.arrive("far", &rig)
        let server = Attached(&rig, pid: 10)
        bind(server, "far")
        #expect(!rig.accept(server.call).offers.isEmpty)
        #expect(rig.handle(.died(server.pid)).rejections.isEmpty)
        rig.manager.checkInvariants()
        #expect(rig.manager.book.waitingArrivals.count == 1)
        #expect(rig.advance(TimeSpan(seconds: 5)).rejections == [.ipcp])
        #expect(rig.manager.book.waitingArrivals.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("a program that is bound to be started is started for those who wait")
    mutating func started() throws {
        create("late", wait: TimeSpan(seconds: 5))
        rig.allocate(client.call, "late")
        let program = Array("/bin/server".utf8)
        let done = rig.manage(
            .bindProgram(program: program, service("late"), autoStart: true, arguments: [], directory: []),
            on: management, .program(program))
        #expect(done.count { if case .spawnProgram = $0 { true } else { false } } == 1)
        #expect(rig.advance(TimeSpan(milliseconds: 9_999)).failures.isEmpty)
        #expect(rig.advance(TimeSpan(milliseconds: 1)).failures(on: client.call) == [.ipcp])
    }

    @Test("a name can be told later, and told to wait no more; what waits goes on as it began")
    mutating func changed() {
        create("late", wait: TimeSpan(nanoseconds: 0))
        rig.manage(.setName(service("late"), balancing: .spillover, wait: TimeSpan(seconds: 3)), on: management)
        #expect(rig.manager.naming[service("late")]?.settings.balancing == .spillover)
        let again = rig.manage(.setName(service("late"), balancing: .spillover, wait: nil), on: management)
        #expect(again.results == [.unchanged])
        rig.allocate(client.call, "late")
        rig.manage(.setName(service("late"), balancing: nil, wait: TimeSpan(nanoseconds: 0)), on: management)
        #expect(rig.manager.naming[service("late")]?.settings.balancing == .spillover)
        let second = Attached(&rig, pid: 21)
        #expect(rig.allocate(second.call, "late").failures(on: second.call) == [.ipcp])
        #expect(rig.advance(TimeSpan(milliseconds: 2_999)).failures.isEmpty)
        #expect(rig.advance(TimeSpan(milliseconds: 1)).failures(on: client.call) == [.ipcp])
        let failed = rig.manage(.setName(service("none"), balancing: nil, wait: .unlimited), on: management)
        #expect(failed.failures == [.name])
    }

    @Test("a name that is destroyed, a client that gives up and an irmd that stops end the wait")
    mutating func ended() {
        create("late", wait: .unlimited)
        rig.allocate(client.call, "late")
        #expect(rig.manage(.destroyName(service("late")), on: management).failures(on: client.call) == [.name])
        create("late", wait: .unlimited)
        rig.allocate(client.call, "late")
        rig.handle(.disconnected(client.call))
        #expect(rig.manager.book.waiting.isEmpty)
        rig.manager.checkInvariants()
    }

    /// How many requests of a host wait for a name before one is refused.
    private mutating func waiting(_ network: inout Network, _ name: String, _ host: String) -> Int {
        var count = 0
        while network.arrive(name, from: host, &rig).rejections.isEmpty { count += 1 }
        return count
    }

    @Test("requests of other hosts wait too; no host and no name has the places of the others")
    mutating func arrivals() throws {
        var network = try Network(&rig, on: management)
        create("far0", wait: TimeSpan(seconds: 5))
        #expect(network.arrive("far0", &rig).rejections.isEmpty)
        #expect(rig.manager.book.waitingArrivals.count == 1)
        rig.manager.checkInvariants()
        #expect(rig.advance(TimeSpan(milliseconds: 4_999)).rejections.isEmpty)
        #expect(rig.advance(TimeSpan(milliseconds: 1)).rejections == [.ipcp])
        #expect(rig.manager.book.waitingArrivals.isEmpty)

        for number in 0..<5 { create("far\(number)", wait: TimeSpan(seconds: 5)) }
        // One host, for one name: a third of the places, less those for the last ones.
        let places = Limits.waitingArrivals - Limits.waitingArrivals / 16
        #expect(waiting(&network, "far0", "10.0.0.2") == places / 3)
        #expect(network.arrive("far1", from: "10.0.0.2", &rig).rejections == [.ipcp])
        // Another host is not kept out, of this name or of another one.
        #expect(waiting(&network, "far0", "10.0.0.3") > 0)
        #expect(waiting(&network, "far1", "10.0.0.4") > 0)
        #expect(waiting(&network, "far4", "10.0.0.5") > 0)
        let count = rig.manager.book.waitingArrivals.count
        #expect(count < places)
        rig.manager.checkInvariants()
        // A local client is not held back by them.
        #expect(rig.allocate(client.call, "far4").failures.isEmpty)

        let server = Attached(&rig, pid: 10)
        bind(server, "far0")
        let offer = try #require(rig.accept(server.call).offers.first)
        #expect(offer.offer.role == .user && offer.offer.parties.address == Array("10.0.0.2:3435".utf8))
        #expect(rig.manager.book.waitingArrivals.count == count - 1)
        rig.advance(TimeSpan(seconds: 20))
        #expect(rig.manager.book.waitingArrivals.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("a layer is asked first; if it does not know the name, the client waits for a server here")
    mutating func layers() throws {
        let network = try Network(&rig, on: management)
        create("late", wait: TimeSpan(seconds: 5))
        let asked = try #require(rig.allocate(client.call, "late").provided.first)
        #expect(network.say(.refused(asked.offer.flow, .name, reason: []), &rig).failures.isEmpty)
        rig.manager.checkInvariants()
        let server = Attached(&rig, pid: 10)
        bind(server)
        let offer = try #require(rig.accept(server.call).offers.first)
        #expect(offer.offer.parties.name == service("late") && offer.offer.role == .direct)
    }

    @Test("the time that layers were asked counts; they do not add to it")
    mutating func slowLayers() throws {
        let network = try Network(&rig, on: management)
        create("late", wait: TimeSpan(seconds: 5))
        let asked = try #require(rig.allocate(client.call, "late").provided.first)
        rig.advance(TimeSpan(seconds: 3))
        #expect(network.say(.refused(asked.offer.flow, .name, reason: []), &rig).failures.isEmpty)
        #expect(rig.advance(TimeSpan(milliseconds: 1_999)).failures.isEmpty)
        #expect(rig.advance(TimeSpan(milliseconds: 1)).failures(on: client.call) == [.ipcp])
        let again = try #require(rig.allocate(client.call, "late").provided.first)
        rig.advance(TimeSpan(seconds: 6))
        #expect(network.say(.refused(again.offer.flow, .name, reason: []), &rig).failures(on: client.call) == [.name])
        #expect(rig.manager.book.waiting.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("two layers that do not know the name are the same; who comes while they are asked serves it")
    mutating func twoLayers() throws {
        let networks = [try Network(&rig, on: management), try Network(&rig, on: management)]
        create("late", wait: TimeSpan(seconds: 5))
        rig.allocate(client.call, "late")
        for network in networks { network.answer(&rig, knows: false) }
        #expect(rig.manager.book.waiting.count(for: service("late")) == 1)
        rig.manager.checkInvariants()
        #expect(rig.advance(TimeSpan(seconds: 5)).failures(on: client.call) == [.ipcp])
    }
}
