// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// One `irm flow show` that waits for the processes at the ends of its flow.
struct Inspection: Sendable {
    let requester: Requester
    /// Whose request it is, if it counts in the share of a user.
    let user: UserID
    let flow: FlowID
    /// When the flow began: another flow may have its number meanwhile.
    let begun: Instant
    let timer: ManagerTimer
    /// What each end came to; nil: the process has not answered.
    var client: FlowEndReport?
    var server: FlowEndReport?

    subscript(end: End) -> FlowEndReport? {
        get { end == .first ? client : server }
        set { if end == .first { client = newValue } else { server = newValue } }
    }
}

/// The inspections that wait, and the questions that processes have not answered. Knows nothing of flows.
struct Inspections: Sendable {
    struct Question: Hashable, Sendable {
        let inspection: RequestID
        let end: End
    }

    private(set) var waiting: [RequestID: Inspection] = [:]
    /// By process and number. A question stays when its inspection is over: its answer is late, and no mistake.
    private(set) var questions: [ProcessID: [RequestID: Question]] = [:]
    private var shares = Shares<UserID>(of: Limits.inspections)
    private var count: UInt64 = 0

    mutating func next() -> RequestID {
        count += 1
        return RequestID(count)
    }

    /// False if the user has as many as allowed.
    mutating func open(_ id: RequestID, _ inspection: Inspection, isExempt: Bool) -> Bool {
        guard shares.add(for: inspection.user, isExempt: isExempt) else { return false }
        waiting[id] = inspection
        return true
    }

    mutating func set(_ report: FlowEndReport, of end: End, in id: RequestID) { waiting[id]?[end] = report }

    mutating func close(_ id: RequestID) -> Inspection? {
        guard let inspection = waiting.removeValue(forKey: id) else { return nil }
        shares.remove(for: inspection.user)
        return inspection
    }

    /// Whether the process may be asked one question more: one that answers none shall not find thousands.
    func mayAsk(_ process: ProcessID) -> Bool { (questions[process]?.count ?? 0) < Limits.unansweredQuestions }

    mutating func ask(_ question: Question, of process: ProcessID) -> RequestID {
        let number = next()
        questions[process, default: [:]][number] = question
        return number
    }

    /// Nil if the process was not asked that, or has answered.
    mutating func answered(_ number: RequestID, by process: ProcessID) -> Question? {
        guard let question = questions[process]?.removeValue(forKey: number) else { return nil }
        if questions[process]?.isEmpty == true { questions[process] = nil }
        return question
    }

    /// The process is gone, or runs another program. Its questions, in their order.
    mutating func forget(_ process: ProcessID) -> [Question] {
        guard let left = questions.removeValue(forKey: process) else { return [] }
        return left.sorted { $0.key < $1.key }.map(\.value)
    }
}
