// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// `irm flow show`: irmd asks the processes at both ends of a flow over their sessions, and waits for their answers no longer
/// than `Limits.inspectionTimeout`. What it knows itself is shown in any case. spec: irm-cli §6
extension ResourceManager {
    mutating func showFlow(_ id: FlowID, for requester: Requester) {
        guard let flow = book.flows[id] else { return fail(requester, .noEntry, "there is no flow \(id)") }
        let user = user(of: requester)
        let number = inspections.next()
        let timer = timers.set(.inspection(number), at: now + Limits.inspectionTimeout)
        let inspection = Inspection(requester: requester, user: user, flow: id, begun: flow.begun, timer: timer)
        guard inspections.open(number, inspection, isExempt: isExempt(user)) else {
            timers.cancel(timer)
            return fail(requester, .tableFull, "uid \(user) has too many unanswered requests for flows")
        }
        for end in [End.first, .second] { ask(about: flow, end, number) }
        endIfComplete(number)
    }

    private mutating func ask(about flow: Flow, _ end: End, _ inspection: RequestID) {
        let process = flow[end].process
        if let report = knownReport(of: flow, end) { return inspections.set(report, of: end, in: inspection) }
        guard let session = attachments.processes[process]?.session, inspections.mayAsk(process) else {
            return inspections.set(.silent, of: end, in: inspection)
        }
        let question = inspections.ask(Inspections.Question(inspection: inspection, end: end), of: process)
        send(.describeFlow(question, flow.id, end), on: session)
    }

    /// What is to be said of an end without its process.
    private func knownReport(of flow: Flow, _ end: End) -> FlowEndReport? {
        if flow.remote?.end == end { return .provider }
        guard case .held = flow[end].hold, book.has(flow[end].process, flow.id) else { return .notHeld }
        return flow[end].features.contains(.flowStatistics) ? nil : .unable
    }

    /// A process answers. An answer that it was not asked for, or gives twice, ends its session.
    mutating func described(
        _ number: RequestID, _ statistics: FlowStatistics?, by process: ProcessID, on session: ConnectionID
    ) {
        guard let question = inspections.answered(number, by: process) else { return refuse(session, of: process) }
        inspections.set(statistics.map(FlowEndReport.statistics) ?? .notHeld, of: question.end, in: question.inspection)
        endIfComplete(question.inspection)
    }

    /// The process will not answer any more.
    mutating func endInspections(by process: ProcessID) {
        for question in inspections.forget(process) {
            inspections.set(.notHeld, of: question.end, in: question.inspection)
            endIfComplete(question.inspection)
        }
    }

    mutating func inspectionExpired(_ id: RequestID) { end(id) }

    private mutating func endIfComplete(_ id: RequestID) {
        guard let inspection = inspections.waiting[id], inspection.client != nil, inspection.server != nil else {
            return
        }
        timers.cancel(inspection.timer)
        end(id)
    }

    private mutating func end(_ id: RequestID) {
        guard let inspection = inspections.close(id) else { return }
        let requester = inspection.requester
        guard let flow = book.flows[inspection.flow], flow.begun == inspection.begun, let entry = summary(of: flow.id)
        else { return fail(requester, .noEntry, "flow \(inspection.flow) has ended") }
        outgoing.append(
            .sendFlow(
                ListedFlow(entry: entry, link: flow.place.link, slot: flow.place.slot),
                client: inspection.client ?? .silent, server: inspection.server ?? .silent, requester.request,
                requester.connection))
    }
}
