// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

@Suite struct CostTests {
    @Test("16,000 allocations wait when their server dies: they are refused in slices, in order, and all of them")
    func slices() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let server = Attached(&rig, pid: 10)
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
        var calls: [ConnectionID] = []
        for client in 0..<16 {
            for _ in 0..<1_000 {
                let call = rig.connect(.call, pid: Int32(100 + client), uid: UInt32(2_000 + client))
                rig.allocate(call, "echo")
                calls.append(call)
            }
        }
        let status = Attached(&rig, pid: 20)
        var refused = rig.handle(.died(server.pid)).refusedConnections
        // The call and the session of the server are two more.
        #expect(refused.count == Limits.errandsPerTurn - 2)
        // What others ask meanwhile is done meanwhile.
        #expect(rig.manager.deadline == rig.now)
        #expect(rig.allocate(status.call, "nobody").failures(on: status.call) == [.name])
        var turns = 0
        refused = rig.actions.refusedConnections.filter { $0 != status.call }
        while rig.manager.deadline == rig.now, turns < 1_000 {
            turns += 1
            let done = rig.handle(.timeout).refusedConnections
            #expect(done.count <= Limits.errandsPerTurn)
            refused += done
        }
        // All of them would be a long message.
        let areAllRefused = refused == calls
        #expect(areAllRefused)
        #expect(rig.manager.book.waiting.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("thousands that wait for a server until the same moment are told in slices, and others meanwhile")
    func expiries() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let settings = NameSettings(name: service("late"), balancing: .roundRobin, wait: TimeSpan(seconds: 5))
        rig.manage(.createName(settings), on: management)
        for client in 0..<4_000 as Range<Int32> {
            rig.allocate(rig.connect(.call, pid: 100 + client % 8), "late")
        }
        let other = Attached(&rig, pid: 20)
        rig.now = rig.now + TimeSpan(seconds: 5)
        var told = rig.handle(.timeout).refusedConnections.count
        #expect(told == Limits.errandsPerTurn)
        #expect(rig.manager.deadline == rig.now)
        #expect(rig.allocate(other.call, "nobody").failures(on: other.call) == [.name])
        rig.clear()
        rig.advance(TimeSpan(nanoseconds: 0))
        told = rig.actions.refusedConnections.count
        #expect(told == 4_000 - 2 * Limits.errandsPerTurn)
        #expect(rig.manager.book.waiting.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("servers that die one after the other while thousands wait make one errand, and all are looked at after it")
    func dyingServers() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        for server in 0..<500 as Range<Int32> {
            let process = ProcessID(1_000 + server)
            rig.manage(.bindProcess(process, service("echo")), on: management, .process(UserID(1_000)))
        }
        for client in 0..<4_000 as Range<Int32> { rig.allocate(rig.connect(.call, pid: 100 + client % 8), "echo") }
        // Another one dies before the errand for the last is done.
        for server in 0..<500 as Range<Int32> {
            rig.handle(.died(ProcessID(1_000 + server)))
            #expect(rig.manager.errands.count <= 1)
        }
        rig.clear()
        rig.advance(TimeSpan(nanoseconds: 0))
        #expect(rig.manager.book.waiting.isEmpty && rig.manager.errands.isEmpty)
        rig.manager.checkInvariants()
    }

    /// A process with so many flows with a server, all taken.
    private func establish(_ count: Int, _ client: Attached, _ server: Attached, _ rig: inout Rig) throws {
        for _ in 0..<count {
            rig.accept(server.call)
            let flow = try #require(rig.allocate(client.call, "echo").offers.first?.offer.flow)
            rig.take(flow, server.call)
            rig.take(flow, client.call)
        }
    }

    @Test(
        "a process with thousands of flows is gone: its peers learn it in slices, others are served, and its number is free",
        arguments: [false, true])
    func estates(isReplaced: Bool) throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let server = Attached(&rig, pid: 10)
        let client = Attached(&rig, pid: 11, uid: 2_000)
        let other = Attached(&rig, pid: 12, uid: 2_001)
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
        try establish(2_000, client, server, &rig)
        try establish(1, other, server, &rig)
        let old = try #require(rig.manager.book.flows.values.first { $0.client.process == client.pid })
        rig.clear()
        if isReplaced { _ = rig.connect(.session, pid: 11, uid: 0) } else { rig.handle(.died(client.pid)) }
        #expect(1...Limits.errandsPerTurn ~= rig.actions.flowsDown(on: server.session))
        #expect(rig.manager.deadline == rig.now)
        rig.manager.checkInvariants()
        // What has the number now has nothing of it, and cannot end it in its own way.
        let next = isReplaced ? nil : Attached(&rig, pid: 11, uid: 2_002)
        let nextCall = next?.call ?? rig.connect(.call, pid: 11, uid: 0)
        let left = try #require(rig.manager.book.flows.keys.filter { $0 != old.id }.max())
        if let next { rig.handle(.received(next.session, .deallocate(left), .nothing)) }
        rig.accept(server.call)
        let offer = try #require(rig.allocate(nextCall, "echo").offers.first?.offer)
        #expect(offer.link != old.place.link && offer.linkIsIncluded)
        rig.take(offer.flow, server.call)
        rig.take(offer.flow, nextCall)
        // A little one need not wait for a large one.
        rig.handle(.died(other.pid))
        #expect(
            rig.manager.book.flows.values.allSatisfy { $0.client.process != other.pid || $0.state == .deallocating })
        while rig.manager.deadline == rig.now {
            #expect(rig.handle(.timeout).flowsDown(on: server.session) <= Limits.errandsPerTurn)
            rig.manager.checkInvariants()
        }
        #expect(rig.actions.flowsDown(on: server.session) == 2_001)
        #expect(rig.manager.book.account(of: client.pid)?.flows == [offer.flow])
        #expect(rig.manager.book.links.count == 1)
        rig.manager.checkInvariants()
        rig.handle(.died(client.pid))
        rig.handle(.died(server.pid))
        rig.advance(TimeSpan(nanoseconds: 0))
        #expect(rig.manager.book.flows.isEmpty && rig.manager.book.links.count == 0)
    }

    @Test(
        "a process with thousands of calls is gone: they are dropped in slices, and none of them is given a flow meanwhile",
        arguments: [false, true])
    func calls(isReplaced: Bool) throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let server = Attached(&rig, pid: 10)
        let client = Attached(&rig, pid: 11, uid: 2_000)
        let other = Attached(&rig, pid: 12, uid: 2_001)
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
        let calls = (0..<3_000).map { _ in rig.connect(.call, pid: 11, uid: 2_000) }
        for call in calls { rig.allocate(call, "echo") }
        rig.allocate(other.call, "echo")
        rig.clear()
        if isReplaced { _ = rig.connect(.session, pid: 11, uid: 0) } else { rig.handle(.died(client.pid)) }
        #expect(rig.actions.drops <= Limits.errandsPerTurn && rig.manager.deadline == rig.now)
        rig.manager.checkInvariants()
        // What the process asked for after all is not heard.
        let left = try #require(calls.last)
        rig.handle(.received(left, .accept(RequestID(7), timeout: nil), .nothing))
        #expect(!rig.manager.book.acceptors.isWaiting(client.pid))
        // The server's flow is for the one that still waits.
        #expect(rig.accept(server.call).offers.map(\.offer.peer) == [other.pid])
        while rig.manager.deadline == rig.now {
            #expect(rig.handle(.timeout).drops <= Limits.errandsPerTurn)
            rig.manager.checkInvariants()
        }
        let kept = Set(rig.manager.attachments.connections.keys)
        #expect(kept.isDisjoint(with: calls + [client.call, client.session]))
        #expect(rig.manager.book.waiting.isEmpty)
        rig.manager.checkInvariants()
    }

    @Test("the IPCP of thousands of flows is gone: they end in slices, and all of them")
    func layers() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let ipcp = try rig.makeLocalLayer(on: management)
        let server = Attached(&rig, pid: 10)
        let client = Attached(&rig, pid: 11, uid: 2_000)
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
        rig.register("echo", with: ipcp, on: management)
        try establish(2_000, client, server, &rig)
        rig.clear()
        rig.handle(.childExited(ipcp, .killed(signal: 9)))
        #expect(rig.actions.flowsDown(on: server.session) <= Limits.errandsPerTurn)
        #expect(rig.manager.deadline == rig.now)
        // The others are served meanwhile.
        try establish(1, Attached(&rig, pid: 12, uid: 2_001), server, &rig)
        while rig.manager.deadline == rig.now {
            #expect(rig.handle(.timeout).flowsDown(on: server.session) <= Limits.errandsPerTurn)
        }
        #expect(rig.actions.flowsDown(on: server.session) == 2_000)
        #expect(rig.actions.flowsDown(on: client.session) == 2_000)
        rig.manager.checkInvariants()
    }

    @Test("of the links without flows a process keeps the last ones, and its peers see the others close")
    func idleLinks() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let server = Attached(&rig, pid: 10)
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
        let clients = (0..<Limits.idleLinks + 2).map { Attached(&rig, pid: Int32(100 + $0), uid: 2_000) }
        for client in clients { try establish(1, client, server, &rig) }
        let links = clients.map { client in
            rig.manager.book.flows.values.first { $0.client.process == client.pid }?.place.link
        }
        let first = try #require(links.first ?? nil)
        rig.clear()
        for client in clients.dropLast() {
            let flow = try #require(rig.manager.book.flows.values.first { $0.client.process == client.pid }).id
            rig.handle(.received(client.session, .deallocate(flow), .nothing))
            rig.handle(.received(server.session, .deallocate(flow), .nothing))
        }
        // The first one has had no flow for the longest time.
        #expect(rig.actions.retired == [first] && rig.actions.contains(.releaseLink(first)))
        #expect(rig.manager.book.links.count == clients.count - 1)
        rig.clear()
        // A link that has a flow again is not idle; the next flow of the first client gets a new link.
        let second = try #require(links[1])
        rig.accept(server.call)
        let again = try #require(rig.allocate(clients[1].call, "echo").offers.first?.offer)
        #expect(again.link == second && !again.linkIsIncluded)
        rig.take(again.flow, server.call)
        rig.take(again.flow, clients[1].call)
        rig.accept(server.call)
        let fresh = try #require(rig.allocate(clients[0].call, "echo").offers.first?.offer)
        #expect(fresh.link != first && fresh.linkIsIncluded)
        rig.take(fresh.flow, server.call)
        rig.take(fresh.flow, clients[0].call)
        rig.manager.checkInvariants()
        for client in clients { rig.handle(.died(client.pid)) }
        rig.handle(.died(server.pid))
        rig.advance(TimeSpan(nanoseconds: 0))
        #expect(rig.manager.book.links.count == 0 && rig.actions.retired.isEmpty)
    }

    @Test("who comes to serve the name while its allocations are being refused gets those that are left")
    func servedMeanwhile() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let server = Attached(&rig, pid: 10)
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
        for _ in 0..<3_000 { rig.allocate(rig.connect(.call, pid: 100, uid: 2_000), "echo") }
        rig.handle(.died(server.pid))
        let next = Attached(&rig, pid: 11)
        rig.manage(.bindProcess(next.pid, service("echo")), on: management, .process(UserID(1_000)))
        #expect(rig.accept(next.call).offers.count == 1)
        rig.advance(TimeSpan(nanoseconds: 0))
        #expect(rig.manager.book.waiting.contains(service("echo")))
        rig.manager.checkInvariants()
        rig.manage(.destroyName(service("echo")), on: management)
        rig.advance(TimeSpan(nanoseconds: 0))
        #expect(rig.manager.book.waiting.isEmpty)
    }

    @Test("first, last and any other go, and what is gone is not kept")
    func arrivalOrder() {
        var order = ArrivalOrder<UInt64>()
        var numbers = RandomSource(seed: 7)
        var model: Set<UInt64> = []
        for arrival in 1...20_000 as ClosedRange<UInt64> {
            order.insert(arrival, arrival: arrival)
            model.insert(arrival)
            if Int.random(in: 0..<100, using: &numbers) < 98 {
                let gone: UInt64 =
                    switch Int.random(in: 0..<3, using: &numbers) {
                    case 0: order.first ?? 0
                    case 1: order.last ?? 0
                    default: UInt64.random(in: 1...arrival, using: &numbers)
                    }
                order.remove(arrival: gone)
                model.remove(gone)
            }
            #expect(order.count == model.count)
            #expect(order.places <= max(65, model.count * 2 + 1))
            if arrival % 500 == 0 {
                #expect(order.inOrder == model.sorted())
                #expect(order.first == model.min() && order.last == model.max())
            }
        }
    }

    @Test("a timer that is cancelled never comes up, and is not kept")
    func timers() {
        var queue = TimerQueue<Int>()
        let later = queue.set(1, at: Instant(nanoseconds: 10))
        queue.set(2, at: Instant(nanoseconds: 20))
        #expect(queue.deadline == Instant(nanoseconds: 10))
        queue.cancel(later)
        queue.cancel(later)
        #expect(queue.deadline == Instant(nanoseconds: 20))
        #expect(queue.next(now: Instant(nanoseconds: 30)) == 2)
        #expect(queue.next(now: Instant(nanoseconds: 30)) == nil)
        queue.cancel(later)
        #expect(queue.deadline == nil && queue.count == 0)
        for number in 0..<100_000 {
            let timer = queue.set(number, at: Instant(nanoseconds: UInt64(1_000_000 - number)))
            if number % 100 != 0 { queue.cancel(timer) }
            #expect(queue.places <= max(65, queue.count * 2 + 1))
        }
        var last = Instant(nanoseconds: 0)
        var count = 0
        while let deadline = queue.deadline, queue.next(now: deadline) != nil {
            #expect(last <= deadline)
            last = deadline
            count += 1
        }
        #expect(count == 1_000)
    }

    @Test("connections that come and go leave no timers behind, nor do requests of IPCPs")
    func owners() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let ipcp = try rig.makeLocalLayer(on: management)
        for number in 0..<2_000 {
            let call = rig.connect(.call, pid: 100)
            rig.allocate(call, "nobody", timeout: TimeSpan(seconds: 1_000))
            rig.handle(.disconnected(call))
            rig.manage(.createName(NameSettings(name: service("\(number)"), balancing: .spillover)), on: management)
            rig.register("\(number)", with: ipcp, on: management)
        }
        #expect(rig.manager.timers.count == 0)
        #expect(rig.manager.timers.places <= 65)
        rig.manage(.describeIPCP(ipcp), on: management)
        #expect(rig.manager.timers.count == 1)
        rig.handle(.childExited(ipcp, .exited(1)))
        #expect(rig.manager.timers.count == 0)
    }

    @Test("a connection that does not greet is dropped, one that does is not")
    func greeting() {
        var rig = Rig()
        let stranger = ConnectionID(1_000)
        rig.handle(.connected(stranger, Credentials(process: ProcessID(9), user: UserID(1), group: GroupID(1))))
        let call = rig.connect(.call, pid: 10)
        #expect(rig.advance(TimeSpan(seconds: 9)).isEmpty)
        #expect(rig.advance(TimeSpan(seconds: 1)) == [.drop(stranger)])
        #expect(rig.manager.attachments.connections[call] != nil)
        #expect(rig.advance(TimeSpan(seconds: 100)).isEmpty)
    }

    @Test("pages of one list are of one order, whatever comes and goes")
    func pages() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        for number in 0..<60 {
            rig.manage(.createName(NameSettings(name: service("n\(number)"), balancing: .spillover)), on: management)
        }
        var listed: [ServiceName] = []
        for from in [UInt32(0), 24, 48] {
            guard case .names(let page, _)? = rig.manage(.listNames(from: from), on: management).results.first else {
                Issue.record("no page")
                return
            }
            listed += page.map(\.settings.name)
            rig.manage(.createName(NameSettings(name: service("x\(from)"), balancing: .spillover)), on: management)
        }
        #expect(listed == (0..<60).map { service("n\($0)") })
    }
}

extension [ManagerAction] {
    /// Links that processes are told to close.
    fileprivate var retired: [LinkID] {
        compactMap { if case .send(.retireLink(let link, _), _) = $0 { link } else { nil } }
    }

    fileprivate var drops: Int { count { if case .drop = $0 { true } else { false } } }

    fileprivate func flowsDown(on session: ConnectionID) -> Int {
        count { if case .send(.flowDown, session) = $0 { true } else { false } }
    }

    fileprivate var refusedConnections: [ConnectionID] {
        compactMap { if case .send(.failed(_, _, _), let connection) = $0 { connection } else { nil } }
    }
}
