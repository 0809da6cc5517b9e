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

        fileprivate var isKnown: Bool { if case .known = self { true } else { false } }
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

    private struct Asker: Sendable {
        let id: RequestID
        let user: UserID
        /// When his patience ends.
        let timer: TimerQueue<Patience>.Timer
    }

    /// A name that is being asked for.
    private struct Question: Sendable {
        var askers: [Asker] = []
        let source: Inquiry.Source
        let inquiry: ResolutionID
        /// Who has asked first.
        let user: UserID
        /// Of a source before this one.
        let failure: Verdict?
    }

    private struct Patience: Sendable {
        let asker: RequestID
        let hash: [UInt8]
        let user: UserID
    }

    private let own: DatagramAddress
    private let server: DatagramAddress?
    private let key: [UInt8]
    /// To read the key with.
    private let rights: FileRights
    private var hosts: HostsFile?
    private var news: HostsNews
    private var registered: Set<[UInt8]> = []
    private var remembered: [[UInt8]: Memory] = [:]
    private var questions: [[UInt8]: Question] = [:]
    private var inquiries: [ResolutionID: [UInt8]] = [:]
    private var nextInquiry: UInt64 = 1
    private var patience = TimerQueue<Patience>()
    /// The search for a name outlives its askers, so both are counted.
    private var askers = Shares<UserID>(of: Limits.questions)
    private var searches = Shares<UserID>(of: Limits.questions)
    /// Of what is remembered, names that are unknown.
    private var unknownNames = 0
    /// Of a DNS server that did not answer, and until when it is not asked: else each name would wait for it in turn.
    private var silence: (failure: Failure, until: Instant)?
    /// Until when nobody is told that somebody could not be asked, and for how many names that was so.
    private var quiet: (until: Instant, names: Int)?
    private var answers: [Answer] = []

    /// `own` is never an answer. `key` and `hosts` are paths; empty: none.
    package init(
        own: DatagramAddress, server: DatagramAddress?, key: [UInt8] = [], hosts: [UInt8] = [],
        rights: FileRights = .nobody
    ) {
        self.own = own
        self.rights = rights
        self.server = server
        self.key = key
        news = HostsNews(path: hosts)
    }

    package init(_ parameters: DatagramParameters, by rights: FileRights) {
        self.init(
            own: parameters.own, server: parameters.server, key: parameters.key, hosts: parameters.hosts, rights: rights
        )
    }

    /// What has been decided since the last call. An asker is answered once.
    package mutating func takeAnswers() -> [Answer] {
        defer { answers.removeAll(keepingCapacity: true) }
        return answers
    }

    /// When `expire` wants to be called.
    package var deadline: Instant? { Instant.earlier(patience.deadline, news.deadline) }

    // Names of this host.

    /// False if there are too many.
    package mutating func register(_ hash: [UInt8], into actions: inout [DatagramAction]) -> Bool {
        guard registered.count < Limits.names || registered.contains(hash) else { return false }
        registered.insert(hash)
        let add = DNSUpdate.Change.add(timeToLive: Directory.publishedSeconds)
        if let update = update([hash], add) { actions.append(.lower(.publish(update))) }
        return true
    }

    /// False if it was not registered.
    package mutating func unregister(_ hash: [UInt8], into actions: inout [DatagramAction]) -> Bool {
        guard registered.remove(hash) != nil else { return false }
        if let update = update([hash], .delete) { actions.append(.lower(.publish(update))) }
        return true
    }

    /// All of them, because this host does not answer any more. Also if there is none: the driver may have others that are
    /// not unregistered yet.
    package mutating func withdraw(into actions: inout [DatagramAction]) {
        if let update = update(Array(registered), .delete) { actions.append(.lower(.withdraw(update))) }
        registered.removeAll()
    }

    package func isRegistered(_ hash: [UInt8]) -> Bool { registered.contains(hash) }

    /// spec: udp-layer §5.1
    private static var publishedSeconds: UInt32 { 86_400 }

    /// Nil if there is no server.
    private func update(_ hashes: [[UInt8]], _ change: DNSUpdate.Change) -> DNSUpdate? {
        server.map {
            DNSUpdate(server: $0, address: own, change: change, labels: hashes.map(label), key: key, rights: rights)
        }
    }

    private func label(_ hash: [UInt8]) -> [UInt8] { Array(hexadecimal(hash).utf8) }

    // Names of others.

    /// Answers at once, or when somebody has answered, or after `Limits.questionTimeout`.
    package mutating func look(
        up hash: [UInt8], for asker: RequestID, of user: UserID = .nobody, now: Instant,
        into actions: inout [DatagramAction]
    ) {
        if let memory = remembered[hash], memory.until > now { return answer(asker, memory.verdict) }
        let first = firstSource(now: now)
        if questions[hash] == nil, first.source == .system, let address = hostsAddress(of: hash) {
            return answer(asker, .known(address))
        }
        let isExempt = user == .root
        guard askers.hasRoom(for: user, isExempt: isExempt),
            questions[hash] != nil || searches.hasRoom(for: user, isExempt: isExempt)
        else { return answer(asker, .failed(first.source, .busy)) }
        askers.add(for: user, isExempt: isExempt)
        let timer = patience.set(Patience(asker: asker, hash: hash, user: user), at: now + Limits.questionTimeout)
        let asker = Asker(id: asker, user: user, timer: timer)
        if questions[hash] == nil {
            searches.add(for: user, isExempt: isExempt)
            ask(first.source, hash, [asker], first.failure, of: user, into: &actions)
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
    package mutating func forget(_ hash: [UInt8]) { remember(nil, of: hash) }

    private mutating func ask(
        _ source: Inquiry.Source, _ hash: [UInt8], _ askers: [Asker], _ failure: Verdict?, of user: UserID,
        into actions: inout [DatagramAction]
    ) {
        let inquiry = ResolutionID(nextInquiry)
        nextInquiry += 1
        inquiries[inquiry] = hash
        questions[hash] = Question(
            askers: askers, source: source, inquiry: inquiry, user: user, failure: failure)
        actions.append(.lower(.resolve(inquiry, Inquiry(label: label(hash), own: own, source: source, user: user))))
    }

    /// Late answers are as good as others, for the next one who asks.
    package mutating func resolved(
        _ inquiry: ResolutionID, _ resolution: Resolution, now: Instant, into actions: inout [DatagramAction]
    ) {
        guard let hash = inquiries.removeValue(forKey: inquiry), let question = questions[hash] else { return }
        switch resolution {
        case .address(let bytes, let validity):
            if let address = try? DatagramAddress(bytes, port: own.port)?.reached(from: own), isOther(address) {
                actions.append(.report(.lower(.resolved(hash: hash, address))))
                let span = validity.map { min(max($0, Limits.leastValidity), Limits.longestValidity) }
                return settle(
                    hash, .known(address), until: now + (span ?? Limits.systemValidity),
                    isFromServer: question.source != .system, now: now)
            }
            askNext(hash, question, question.failure, now: now, into: &actions)
        case .unknown: askNext(hash, question, question.failure, now: now, into: &actions)
        case .failed(let failure):
            complain(hash, question.source, failure, now: now, into: &actions)
            if question.source != .system, failure == .timedOut || failure == .connectionRefused {
                silence = (failure, until: now + Limits.unknownValidity)
            }
            askNext(hash, question, .failed(question.source, failure), now: now, into: &actions)
        }
    }

    /// The source of the answer does not know the name: the next source is asked.
    private mutating func askNext(
        _ hash: [UInt8], _ question: Question, _ failure: Verdict?, now: Instant, into actions: inout [DatagramAction]
    ) {
        if question.source == .system {
            settle(
                hash, failure ?? .unknown, until: now + Limits.unknownValidity, isFromServer: false, now: now)
        } else if let address = hostsAddress(of: hash) {
            // Not for as long as the file stays as it is: the server, which comes first, may know better by then.
            settle(
                hash, .known(address), until: now + Limits.systemValidity, isFromServer: false, now: now)
        } else {
            ask(.system, hash, question.askers, failure, of: question.user, into: &actions)
        }
    }

    /// Users can ask for as many names as they like, so not of each.
    private mutating func complain(
        _ hash: [UInt8], _ source: Inquiry.Source, _ failure: Failure, now: Instant,
        into actions: inout [DatagramAction]
    ) {
        if let quiet, quiet.until > now {
            self.quiet?.names += 1
            return
        }
        actions.append(.report(.lower(.notResolved(hash: hash, source, failure, others: quiet?.names ?? 0))))
        quiet = (now + Limits.unknownValidity, 0)
    }

    private mutating func settle(
        _ hash: [UInt8], _ verdict: Verdict, until: Instant, isFromServer: Bool, now: Instant
    ) {
        if remembered.count >= Limits.rememberedNames || unknownNames >= Limits.unknownNames {
            keep { $0.until > now }
            // Anybody can ask for names that there are not.
            if unknownNames >= Limits.unknownNames { keep { $0.verdict.isKnown } }
            if remembered.count >= Limits.rememberedNames { keep { _ in false } }
        }
        remember(Memory(verdict: verdict, until: until, isFromServer: isFromServer), of: hash)
        end(hash, verdict)
    }

    private mutating func remember(_ memory: Memory?, of hash: [UInt8]) {
        if remembered[hash]?.verdict.isKnown == false { unknownNames -= 1 }
        remembered[hash] = memory
        if memory?.verdict.isKnown == false { unknownNames += 1 }
    }

    private mutating func keep(_ isKept: (Memory) -> Bool) {
        remembered = remembered.filter { isKept($0.value) }
        unknownNames = remembered.values.count { !$0.verdict.isKnown }
    }

    private mutating func end(_ hash: [UInt8], _ verdict: Verdict) {
        guard let question = questions.removeValue(forKey: hash) else { return }
        inquiries[question.inquiry] = nil
        searches.remove(for: question.user)
        for asker in question.askers {
            askers.remove(for: asker.user)
            patience.cancel(asker.timer)
            answer(asker.id, verdict)
        }
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
    package mutating func expire(now: Instant, into actions: inout [DatagramAction]) {
        news.expire(now: now, into: &actions)
        while let due = patience.next(now: now) {
            guard let question = questions[due.hash],
                let index = question.askers.firstIndex(where: { $0.id == due.asker })
            else { continue }
            questions[due.hash]?.askers.remove(at: index)
            askers.remove(for: due.user)
            answer(due.asker, .failed(question.source, .timedOut))
        }
    }

    // The hosts file.

    /// The hosts file is this now: what was believed because of the last one, or for want of this one, is forgotten.
    package mutating func adopt(_ file: HostsFile, now: Instant, into actions: inout [DatagramAction]) {
        hosts = file
        news.read(file, now: now, into: &actions)
        keep { $0.isFromServer }
        for (hash, question) in questions where question.source == .system {
            if let address = hostsAddress(of: hash) { end(hash, .known(address)) }
        }
    }

    /// What was read before stays: who replaces a file may remove it first.
    package mutating func lackHosts(
        _ obstacle: FileObstacle, now: Instant, into actions: inout [DatagramAction]
    ) {
        news.lacks(obstacle, now: now, into: &actions)
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
