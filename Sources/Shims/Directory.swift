// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Vocabulary

/// Where the names of a UDP layer are. Asked are, in this order: what is remembered, the DNS server of the layer, its
/// hosts file, the resolver of the system; whoever does not know or does not answer leaves it to the next. Names that are
/// registered here are no answer: irmd asks because no process here accepts, and the layer never sends to itself. Owned by
/// the machine of the layer, which hands on events and takes the answers after each. spec: udp-layer §5
package struct Directory: Sendable {
    package enum Verdict: Hashable, Sendable {
        case known(DatagramAddress)
        case unknown
        /// Somebody who might know it could not be asked, and nobody else does.
        case failed(Inquiry.Source, Failure)
    }

    package struct Answer: Hashable, Sendable {
        package let asker: RequestID
        package let verdict: Verdict
    }

    private struct Memory: Sendable {
        let verdict: Verdict
        let until: Instant
        /// A change of the hosts file makes nothing of it wrong.
        let isFromServer: Bool
    }

    /// A name that is being asked for.
    private struct Question: Sendable {
        var askers: [RequestID] = []
        let source: Inquiry.Source
        let inquiry: ResolutionID
        /// Of a source before this one.
        let failure: Verdict?
    }

    private struct Patience: Sendable {
        let asker: RequestID
        let hash: [UInt8]
    }

    private let own: DatagramAddress
    private let server: DatagramAddress?
    private let key: [UInt8]
    private let hostsPath: [UInt8]
    private var hosts: HostsFile?
    private var registered: Set<[UInt8]> = []
    private var remembered: [[UInt8]: Memory] = [:]
    private var questions: [[UInt8]: Question] = [:]
    private var inquiries: [ResolutionID: [UInt8]] = [:]
    private var nextInquiry: UInt64 = 1
    private var patience = TimerQueue<Patience>()
    private var askers = 0
    /// Of a DNS server that did not answer, and until when it is not asked: else each name would wait for it in turn.
    private var silence: (failure: Failure, until: Instant)?
    private var answers: [Answer] = []

    /// `own` is never an answer. `key` and `hosts` are paths; empty: none.
    package init(own: DatagramAddress, server: DatagramAddress?, key: [UInt8] = [], hosts: [UInt8] = []) {
        self.own = own
        self.server = server
        self.key = key
        hostsPath = hosts
    }

    package init(_ parameters: DatagramParameters) {
        self.init(own: parameters.own, server: parameters.server, key: parameters.key, hosts: parameters.hosts)
    }

    /// To be called once, when the layer begins.
    package func begin(into actions: inout [IPCPAction]) {
        if !hostsPath.isEmpty { actions.append(.followHosts(hostsPath, for: own)) }
    }

    /// What has been decided since the last call. An asker is answered once.
    package mutating func takeAnswers() -> [Answer] {
        defer { answers.removeAll(keepingCapacity: true) }
        return answers
    }

    /// When `expire` wants to be called.
    package var deadline: Instant? { patience.deadline }

    // Names of this host.

    /// False if there are too many.
    package mutating func register(_ hash: [UInt8], into actions: inout [IPCPAction]) -> Bool {
        guard registered.count < Limits.names || registered.contains(hash) else { return false }
        registered.insert(hash)
        let add = DNSUpdate.Change.add(timeToLive: Directory.publishedSeconds)
        if let update = update([hash], add) { actions.append(.publish(update)) }
        return true
    }

    /// False if it was not registered.
    package mutating func unregister(_ hash: [UInt8], into actions: inout [IPCPAction]) -> Bool {
        guard registered.remove(hash) != nil else { return false }
        if let update = update([hash], .delete) { actions.append(.publish(update)) }
        return true
    }

    /// All of them, because this host does not answer any more. Also if there is none: the driver may have others that are
    /// not unregistered yet.
    package mutating func withdraw(into actions: inout [IPCPAction]) {
        if let update = update(Array(registered), .delete) { actions.append(.withdraw(update)) }
        registered.removeAll()
    }

    package func isRegistered(_ hash: [UInt8]) -> Bool { registered.contains(hash) }

    /// spec: udp-layer §5.1
    private static var publishedSeconds: UInt32 { 86_400 }

    /// Nil if there is no server.
    private func update(_ hashes: [[UInt8]], _ change: DNSUpdate.Change) -> DNSUpdate? {
        server.map { DNSUpdate(server: $0, address: own, change: change, labels: hashes.map(label), key: key) }
    }

    private func label(_ hash: [UInt8]) -> [UInt8] { Array(hexadecimal(hash).utf8) }

    // Names of others.

    /// Answers at once, or when somebody has answered, or after `Limits.questionTimeout`.
    package mutating func look(
        up hash: [UInt8], for asker: RequestID, now: Instant, into actions: inout [IPCPAction]
    ) {
        if let memory = remembered[hash], memory.until > now { return answer(asker, memory.verdict) }
        let first = firstSource(now: now)
        if questions[hash] == nil, first.source == .system, let address = hostsAddress(of: hash) {
            return answer(asker, .known(address))
        }
        guard askers < Limits.questions, questions[hash] != nil || questions.count < Limits.questions else {
            return answer(asker, .failed(first.source, .busy))
        }
        askers += 1
        patience.set(Patience(asker: asker, hash: hash), at: now + Limits.questionTimeout)
        if questions[hash] == nil {
            ask(first.source, hash, [asker], first.failure, into: &actions)
        } else {
            questions[hash]?.askers.append(asker)
        }
    }

    /// With the failure of one that comes before it and is passed over.
    private func firstSource(now: Instant) -> (source: Inquiry.Source, failure: Verdict?) {
        guard let server else { return (.system, nil) }
        guard let silence, silence.until > now else { return (.server(server), nil) }
        return (.system, .failed(.server(server), silence.failure))
    }

    /// What is remembered of the name has turned out to be wrong.
    package mutating func forget(_ hash: [UInt8]) { remembered[hash] = nil }

    private mutating func ask(
        _ source: Inquiry.Source, _ hash: [UInt8], _ askers: [RequestID], _ failure: Verdict?,
        into actions: inout [IPCPAction]
    ) {
        let inquiry = ResolutionID(nextInquiry)
        nextInquiry += 1
        inquiries[inquiry] = hash
        questions[hash] = Question(askers: askers, source: source, inquiry: inquiry, failure: failure)
        actions.append(.resolve(inquiry, Inquiry(label: label(hash), own: own, source: source)))
    }

    /// Late answers are as good as others, for the next one who asks.
    package mutating func resolved(
        _ inquiry: ResolutionID, _ resolution: Resolution, now: Instant, into actions: inout [IPCPAction]
    ) {
        guard let hash = inquiries.removeValue(forKey: inquiry), let question = questions[hash] else { return }
        switch resolution {
        case .address(let bytes, let validity):
            if let address = try? DatagramAddress(bytes, port: own.port)?.reached(from: own), isOther(address) {
                actions.append(.report(.resolved(hash: hash, address)))
                let span = validity.map { min(max($0, Limits.leastValidity), Limits.longestValidity) }
                return settle(
                    hash, .known(address), until: now + (span ?? Limits.systemValidity),
                    isFromServer: question.source != .system, now: now)
            }
            goOn(hash, question, question.failure, now: now, into: &actions)
        case .unknown: goOn(hash, question, question.failure, now: now, into: &actions)
        case .failed(let failure):
            actions.append(.report(.notResolved(hash: hash, question.source, failure)))
            if question.source != .system, failure == .timedOut || failure == .connectionRefused {
                silence = (failure, until: now + Limits.unknownValidity)
            }
            goOn(hash, question, .failed(question.source, failure), now: now, into: &actions)
        }
    }

    /// The source does not know: the next one is asked.
    private mutating func goOn(
        _ hash: [UInt8], _ question: Question, _ failure: Verdict?, now: Instant, into actions: inout [IPCPAction]
    ) {
        if question.source == .system {
            settle(
                hash, failure ?? .unknown, until: now + Limits.unknownValidity, isFromServer: false, now: now)
        } else if let address = hostsAddress(of: hash) {
            // Not for as long as the file stays as it is: the server, which comes first, may know better by then.
            settle(
                hash, .known(address), until: now + Limits.systemValidity, isFromServer: false, now: now)
        } else {
            ask(.system, hash, question.askers, failure, into: &actions)
        }
    }

    private mutating func settle(
        _ hash: [UInt8], _ verdict: Verdict, until: Instant, isFromServer: Bool, now: Instant
    ) {
        if remembered.count >= Limits.rememberedNames {
            remembered = remembered.filter { $0.value.until > now }
            if remembered.count >= Limits.rememberedNames { remembered.removeAll() }
        }
        remembered[hash] = Memory(verdict: verdict, until: until, isFromServer: isFromServer)
        end(hash, verdict)
    }

    private mutating func end(_ hash: [UInt8], _ verdict: Verdict) {
        guard let question = questions.removeValue(forKey: hash) else { return }
        inquiries[question.inquiry] = nil
        askers -= question.askers.count
        for asker in question.askers { answer(asker, verdict) }
    }

    private mutating func answer(_ asker: RequestID, _ verdict: Verdict) {
        answers.append(Answer(asker: asker, verdict: verdict))
    }

    private func isOther(_ address: DatagramAddress) -> Bool {
        address.high != own.high || address.low != own.low
    }

    private func hostsAddress(of hash: [UInt8]) -> DatagramAddress? {
        hosts?.address(of: hash).flatMap { isOther($0) ? $0 : nil }
    }

    /// Answers those who have waited long enough; the search goes on.
    package mutating func expire(now: Instant) {
        while let due = patience.next(now: now) {
            guard let question = questions[due.hash], let index = question.askers.firstIndex(of: due.asker) else {
                continue
            }
            questions[due.hash]?.askers.remove(at: index)
            askers -= 1
            answer(due.asker, .failed(question.source, .timedOut))
        }
    }

    // The hosts file.

    /// The hosts file is this now: what was believed because of the last one, or for want of this one, is forgotten.
    package mutating func adopt(_ file: HostsFile, into actions: inout [IPCPAction]) {
        hosts = file
        actions.append(.report(.hostsRead(names: file.count)))
        actions += file.mistakes.map { .report(.hostsMistake($0)) }
        remembered = remembered.filter { $0.value.isFromServer }
        for (hash, question) in questions where question.source == .system {
            if let address = hostsAddress(of: hash) { end(hash, .known(address)) }
        }
    }

    /// What was read before stays: who replaces a file may remove it first.
    package func lackHosts(_ failure: Failure, into actions: inout [IPCPAction]) {
        actions.append(.report(.hostsUnreadable(path: hostsPath, failure)))
    }
}

extension Directory.Answer {
    /// Nil: why is said by `reason` and `failure`.
    package var address: DatagramAddress? {
        if case .known(let address) = verdict { address } else { nil }
    }

    /// For the error that irmd is told.
    package var failure: Failure {
        if case .failed(_, .busy) = verdict { .busy } else { .name }
    }

    package var reason: String {
        switch verdict {
        case .known(let address): "the name is at \(address)"
        case .unknown: "the name is unknown in this layer"
        case .failed(let source, let failure): "\(source) could not be asked for the name: \(failure)"
        }
    }
}
