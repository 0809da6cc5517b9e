// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// A manager with a name, a server that is bound to it, and a client.
struct Town {
    var rig = Rig()
    let management: ConnectionID
    let server: Attached
    let client: Attached

    init(features: Features = []) {
        management = rig.connect(.management, pid: 2, uid: 500)
        server = Attached(&rig, pid: 10, features: features)
        client = Attached(&rig, pid: 20, features: features)
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(1_000)))
        rig.clear()
    }

    /// Up to the offer to the client.
    mutating func offer() throws -> FlowID {
        rig.accept(server.call)
        let offer = try #require(rig.allocate(client.call, "echo").offers.first)
        #expect(offer.connection == server.call)
        let next = try #require(rig.take(offer.offer.flow, server.call).offers.first)
        #expect(next.connection == client.call)
        return offer.offer.flow
    }

    mutating func establish() throws -> FlowID {
        let flow = try offer()
        rig.take(flow, client.call)
        rig.clear()
        return flow
    }

    mutating func deallocate(_ flow: FlowID, _ end: Attached) -> [ManagerAction] {
        rig.handle(.received(end.session, .deallocate(flow), .nothing))
    }
}

@Suite struct FlowTests {
    @Test("who has changed his user since he attached is told to peers as who he is now")
    func changedUser() throws {
        var rig = Rig()
        let management = rig.connect(.management, pid: 2, uid: 500)
        let server = Attached(&rig, pid: 10, uid: 0)
        let client = Attached(&rig, pid: 20, uid: 0)
        rig.manage(.bindProcess(server.pid, service("echo")), on: management, .process(UserID(0)))
        // Both were started by root.
        let accepting = rig.connect(.call, pid: 10, uid: 33)
        let asking = rig.connect(.call, pid: 20, uid: 1_000)
        rig.accept(accepting)
        let offer = try #require(rig.allocate(asking, "echo").offers.first)
        #expect(offer.offer.parties.user == UserID(1_000) && offer.offer.parties.group == GroupID(1_000))
        let other = try #require(rig.take(offer.offer.flow, accepting).offers.first)
        #expect(other.offer.parties.user == UserID(33))
        rig.take(offer.offer.flow, asking)
        rig.manager.checkInvariants()
        for process in [server, client] { rig.handle(.died(process.pid)) }
        rig.manager.checkInvariants()
        #expect(rig.manager.book.flows.isEmpty)
    }

    @Test("an allocation is offered to the server first, then to the client, then allocated")
    func allocation() throws {
        var town = Town()
        town.rig.accept(town.server.call)
        let toServer = town.rig.allocate(town.client.call, "echo")
        let first = try #require(toServer.offers.first)
        #expect(first.offer.end == .second)
        #expect(first.offer.peer == town.client.pid)
        #expect(first.offer.linkIsIncluded)
        let place = LinkPlace(
            link: first.offer.link, slot: first.offer.slot, clientEnd: first.offer.linkEnd.other, linkIsNew: true)
        #expect(toServer.contains(.createFlowMemory(first.offer.flow, place, provider: nil)))

        let toClient = town.rig.take(first.offer.flow, town.server.call)
        let second = try #require(toClient.offers.first)
        #expect(second.offer.end == .first)
        #expect(second.offer.linkEnd == first.offer.linkEnd.other)
        #expect(second.offer.slot == first.offer.slot)
        #expect(toClient.contains(.releaseLinkSocket(first.offer.link, first.offer.linkEnd)))

        let done = town.rig.take(first.offer.flow, town.client.call)
        #expect(done.contains(.releaseSegment(first.offer.flow)))
        #expect(done.contains(.releaseLinkSocket(first.offer.link, second.offer.linkEnd)))
        #expect(town.rig.manager.book.flows[first.offer.flow]?.state == .allocated)
    }

    @Test("each end is told what the flow is for and who is at the other end, as the kernel says")
    func parties() throws {
        var town = Town()
        town.rig.accept(town.server.call)
        let server = try #require(town.rig.allocate(town.client.call, "echo").offers.first).offer
        #expect(server.peer == town.client.pid)
        let parties = FlowParties(name: service("echo"), user: UserID(1_000), group: GroupID(1_000))
        #expect(server.parties == parties)
        let client = try #require(town.rig.take(server.flow, town.server.call).offers.first).offer
        #expect(client.parties == parties && client.peer == town.server.pid)
    }

    @Test("an operator ends a flow: both ends are told, and both have let go of nothing yet")
    func destroyed() throws {
        var town = Town()
        let flow = try town.establish()
        let done = town.rig.manage(.destroyFlow(flow), on: town.management)
        let told = done.compactMap { if case .send(.flowDown(flow), let connection) = $0 { connection } else { nil } }
        #expect(Set(told) == [town.client.session, town.server.session])
        #expect(done.count { if case .markGone = $0 { true } else { false } } == 2)
        #expect(done.results == [.completed])
        // Lists show it, and nobody is told again.
        #expect(town.rig.manager.book.flows[flow]?.state == .deallocating)
        let again = town.rig.manage(.destroyFlow(flow), on: town.management)
        #expect(again.results == [.unchanged] && again.count == 1)
        town.rig.handle(.received(town.client.session, .deallocate(flow), .nothing))
        town.rig.handle(.received(town.server.session, .deallocate(flow), .nothing))
        #expect(town.rig.manager.book.flows.isEmpty)
        #expect(town.rig.manage(.destroyFlow(flow), on: town.management).failures == [.noEntry])
        // One that nobody has taken yet.
        town.rig.accept(town.server.call)
        let offered = try #require(town.rig.allocate(town.client.call, "echo").offers.first).offer.flow
        let early = town.rig.manage(.destroyFlow(offered), on: town.management)
        #expect(early.reasons == ["an operator has destroyed the flow"])
        town.rig.manager.checkInvariants()
    }

    @Test("a manager ends flows of which an end or the name is his, and no others")
    func notMine() throws {
        var town = Town()
        let flow = try town.establish()
        let stranger = town.rig.connect(.management, pid: 7, uid: 2_000, groups: [GroupID(77)])
        #expect(town.rig.manage(.destroyFlow(flow), on: stranger).failures == [.notPermitted])
        #expect(
            town.rig.manage(.setName(service("echo"), balancing: nil, wait: .unlimited), on: stranger)
                .failures == [.notPermitted])
        #expect(town.rig.manager.naming[service("echo")]?.settings.wait == TimeSpan(nanoseconds: 0))
        let own = town.rig.connect(.management, pid: 8, uid: 1_000, groups: [GroupID(77)])
        #expect(town.rig.manage(.destroyFlow(flow), on: own).results == [.completed])
    }

    @Test("both ends let go: partial, then complete, and the slot is new again")
    func deallocation() throws {
        var town = Town()
        let flow = try town.establish()
        let place = try #require(town.rig.manager.book.flows[flow]?.place)
        #expect(
            town.deallocate(flow, town.client) == [.report(.flow(.partlyDeallocated(flow, town.client.pid)))])
        #expect(town.rig.manager.book.flows[flow]?.state == .deallocating)
        // Again, by an end that has none any more.
        #expect(town.deallocate(flow, town.client) == [])
        #expect(
            town.deallocate(flow, town.server)
                == [
                    .report(.flow(.deallocated(flow, town.server.pid))), .resetSlot(place.link, place.slot),
                ])
        #expect(town.rig.manager.book.flows.isEmpty)
    }

    @Test("the second flow of a pair uses the link that is there, and another id")
    func secondFlow() throws {
        var town = Town()
        let flow = try town.establish()
        town.rig.accept(town.server.call)
        let offer = try #require(town.rig.allocate(town.client.call, "echo").offers.first).offer
        #expect(offer.flow != flow)
        #expect(!offer.linkIsIncluded)
        #expect(offer.slot == LinkSlot(1))
        #expect(town.rig.manager.book.links.count == 1)
    }

    @Test("a process allocates a flow to itself: one link, both ends")
    func selfFlow() throws {
        var town = Town()
        let other = town.rig.connect(.call, pid: 10)
        town.rig.accept(town.server.call)
        let toServer = try #require(town.rig.allocate(other, "echo").offers.first)
        #expect(toServer.connection == town.server.call)
        let toClient = try #require(town.rig.take(toServer.offer.flow, town.server.call).offers.first)
        #expect(toClient.connection == other)
        #expect(toClient.offer.linkIsIncluded)
        #expect(toClient.offer.linkEnd == toServer.offer.linkEnd.other)
        town.rig.take(toServer.offer.flow, other)
        #expect(town.rig.manager.book.flows[toServer.offer.flow]?.state == .allocated)
        _ = town.deallocate(toServer.offer.flow, town.server)
        #expect(town.rig.manager.book.flows[toServer.offer.flow]?.state == .deallocating)
        _ = town.deallocate(toServer.offer.flow, town.server)
        #expect(town.rig.manager.book.flows.isEmpty)
    }

    @Test("what was given back before we read that it was taken counts as taken and given back")
    func reordered() throws {
        var town = Town()
        let flow = try town.offer()
        let early = town.deallocate(flow, town.client)
        #expect(early.reports.contains(.flow(.partlyDeallocated(flow, town.client.pid))))
        #expect(town.rig.take(flow, town.client.call) == [])
        _ = town.deallocate(flow, town.server)
        #expect(town.rig.manager.book.flows.isEmpty)
        // The call connection is free for the next.
        town.rig.accept(town.server.call)
        #expect(town.rig.allocate(town.client.call, "echo").offers.count == 1)
    }
}
