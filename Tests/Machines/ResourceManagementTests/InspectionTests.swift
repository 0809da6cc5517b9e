// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// A town whose processes can say what they know of their flows.
private struct TalkativeTown {
    var town: Town
    let flow: FlowID
    var rig: Rig {
        get { town.rig }
        set { town.rig = newValue }
    }

    init(features: Features = .flowStatistics) throws {
        town = Town(features: features)
        flow = try town.establish()
    }

    mutating func show(on connection: ConnectionID? = nil) -> [ManagerAction] {
        town.rig.manage(.showFlow(flow), on: connection ?? town.management)
    }

    mutating func answer(
        _ question: RequestID, _ statistics: FlowStatistics?, on session: ConnectionID
    ) -> [ManagerAction] {
        town.rig.handle(.received(session, .described(question, statistics), .nothing))
    }
}

extension [ManagerAction] {
    fileprivate var questions: [(number: RequestID, flow: FlowID, end: End, session: ConnectionID)] {
        compactMap {
            guard case .send(.describeFlow(let number, let flow, let end), let session) = $0 else { return nil }
            return (number, flow, end, session)
        }
    }

    fileprivate var shown: [(flow: FlowID, client: FlowEndReport, server: FlowEndReport, connection: ConnectionID)] {
        compactMap {
            guard case .sendFlow(let listed, let client, let server, _, let connection) = $0 else { return nil }
            return (listed.entry.flow, client, server, connection)
        }
    }
}

@Suite struct InspectionTests {
    private static func statistics(_ messages: UInt64) -> FlowStatistics {
        var statistics = FlowStatistics()
        statistics.kind = .inside
        statistics.messagesWritten = messages
        return statistics
    }

    @Test("both processes of a flow are asked, and what they say is shown when both have answered")
    func bothEnds() throws {
        var town = try TalkativeTown()
        let asked = town.show()
        #expect(asked.shown.isEmpty)
        #expect(asked.questions.map(\.flow) == [town.flow, town.flow])
        #expect(asked.questions.map(\.end) == [.first, .second])
        #expect(asked.questions.map(\.session) == [town.town.client.session, town.town.server.session])
        let second = town.answer(asked.questions[1].number, Self.statistics(2), on: town.town.server.session)
        #expect(second.isEmpty)
        let first = town.answer(asked.questions[0].number, Self.statistics(1), on: town.town.client.session)
        let shown = try #require(first.shown.first)
        #expect(shown.flow == town.flow && shown.connection == town.town.management)
        #expect(shown.client == .statistics(Self.statistics(1)))
        #expect(shown.server == .statistics(Self.statistics(2)))
        #expect(town.rig.manager.inspections.waiting.isEmpty)
        #expect(town.rig.manager.inspections.questions.isEmpty)
        town.rig.manager.checkInvariants()
    }

    @Test("there is no flow of this number; one that ends meanwhile is none any more")
    func noFlow() throws {
        var town = try TalkativeTown()
        #expect(town.rig.manage(.showFlow(FlowID(77)), on: town.town.management).reasons == ["there is no flow 77"])
        let asked = town.show()
        _ = town.town.deallocate(town.flow, town.town.client)
        _ = town.town.deallocate(town.flow, town.town.server)
        _ = town.answer(asked.questions[0].number, nil, on: town.town.client.session)
        let done = town.answer(asked.questions[1].number, nil, on: town.town.server.session)
        #expect(done.failures == [.noEntry] && done.reasons == ["flow \(town.flow) has ended"])
        town.rig.manager.checkInvariants()
    }

    @Test("a process that does not answer is waited for a second; its late answer is no mistake")
    func silence() throws {
        var town = try TalkativeTown()
        let asked = town.show()
        _ = town.answer(asked.questions[1].number, Self.statistics(2), on: town.town.server.session)
        #expect(town.rig.advance(TimeSpan(milliseconds: 999)).shown.isEmpty)
        let shown = try #require(town.rig.advance(TimeSpan(milliseconds: 1)).shown.first)
        #expect(shown.client == .silent && shown.server == .statistics(Self.statistics(2)))
        town.rig.manager.checkInvariants()
        let late = town.answer(asked.questions[0].number, Self.statistics(1), on: town.town.client.session)
        #expect(late.isEmpty)
        #expect(town.rig.manager.inspections.questions.isEmpty)
        #expect(town.rig.manager.attachments.processes[town.town.client.pid] != nil)
    }

    @Test("a process that answers twice, or what it was not asked, loses its session")
    func unasked() throws {
        for isRepetition in [true, false] {
            var town = try TalkativeTown()
            let asked = town.show()
            let session = town.town.client.session
            if isRepetition { _ = town.answer(asked.questions[0].number, nil, on: session) }
            // Else: what the other process was asked.
            let number = asked.questions[isRepetition ? 0 : 1].number
            let done = town.answer(number, Self.statistics(9), on: session)
            #expect(done.contains(.drop(session)))
            #expect(done.warnings.count == 1)
            // The other process is asked nothing else, and its own answer counts.
            let rest = town.answer(asked.questions[1].number, Self.statistics(2), on: town.town.server.session)
            let shown = try #require(rest.shown.first)
            #expect(shown.client == .notHeld && shown.server == .statistics(Self.statistics(2)))
            town.rig.manager.checkInvariants()
        }
    }

    @Test("an older library is not asked")
    func olderLibrary() throws {
        var town = try TalkativeTown(features: .expeditedBarrier)
        let done = town.show()
        #expect(done.questions.isEmpty)
        #expect(done.shown.first?.client == .unable && done.shown.first?.server == .unable)
    }

    @Test("a process that dies meanwhile is not waited for")
    func death() throws {
        var town = try TalkativeTown()
        let asked = town.show()
        #expect(town.rig.handle(.died(town.town.client.pid)).shown.isEmpty)
        let done = town.answer(asked.questions[1].number, Self.statistics(2), on: town.town.server.session)
        #expect(done.shown.first?.client == .notHeld)
        town.rig.manager.checkInvariants()
    }

    @Test("a flow that is offered and not taken is shown without its processes")
    func pending() throws {
        var town = Town(features: .flowStatistics)
        let flow = try town.offer()
        let done = town.rig.manage(.showFlow(flow), on: town.management)
        #expect(done.questions.map(\.end) == [.second])
        let shown = town.rig.handle(
            .received(town.server.session, .described(done.questions[0].number, nil), .nothing)
        ).shown
        #expect(shown.first?.client == .notHeld && shown.first?.server == .notHeld)
    }

    @Test("a process that answers nothing finds no more than 64 questions, however often it is asked")
    func bounded() throws {
        var town = try TalkativeTown()
        var questions = 0
        for _ in 0..<200 {
            questions += town.show().questions.count { $0.end == .first }
            let shown = try #require(town.rig.advance(TimeSpan(seconds: 1)).shown.first ?? town.rig.actions.shown.last)
            #expect(shown.client == .silent)
            town.rig.clear()
        }
        #expect(questions == Limits.unansweredQuestions)
        #expect(town.rig.manager.inspections.waiting.isEmpty)
        town.rig.manager.checkInvariants()
    }

    @Test("one user's requests that wait leave room for those of others")
    func shares() {
        var inspections = Inspections()
        var timers = TimerQueue<Due>()
        func open(of user: UInt32) -> Bool {
            let id = inspections.next()
            let timer = timers.set(.inspection(id), at: Instant(nanoseconds: 1))
            let requester = Requester(connection: ConnectionID(1), request: RequestID(1))
            let inspection = Inspection(
                requester: requester, user: UserID(user), flow: FlowID(1), begun: Instant(nanoseconds: 0), timer: timer)
            return inspections.open(id, inspection, isExempt: false)
        }
        while open(of: 1) {}
        #expect(inspections.waiting.count <= Limits.inspections / 2)
        #expect(open(of: 2))
        // What is over makes room.
        for id in Array(inspections.waiting.keys) { _ = inspections.close(id) }
        #expect(open(of: 1))
    }

    @Test("every manager may look; others may not")
    func rights() throws {
        var town = try TalkativeTown()
        let manager = town.rig.connect(.management, pid: 7, uid: 2_000, groups: [GroupID(77)])
        let stranger = town.rig.connect(.management, pid: 8, uid: 2_001)
        #expect(town.show(on: manager).questions.count == 2)
        #expect(town.show(on: stranger).failures == [.notPermitted])
    }

    @Test("what asks may leave: the answers are for nobody then")
    func requesterLeaves() throws {
        var town = try TalkativeTown()
        let asked = town.show()
        town.rig.handle(.disconnected(town.town.management))
        for (question, session) in zip(asked.questions, [town.town.client.session, town.town.server.session]) {
            _ = town.answer(question.number, nil, on: session)
        }
        #expect(town.rig.manager.inspections.waiting.isEmpty)
        town.rig.manager.checkInvariants()
    }
}
