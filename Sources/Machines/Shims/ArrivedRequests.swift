// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import Vocabulary
import Wire

/// Tells datagrams of one sender apart without keeping them. Who makes two of his that look alike harms himself only.
struct Fingerprint: Hashable, Sendable {
    private let value: UInt64
    /// Bytes of the datagram.
    let count: Int

    /// FNV-1a.
    init(of bytes: [UInt8]) {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        self.value = value
        count = bytes.count
    }
}

/// The requests of other hosts: those that irmd has to answer, and those that were answered a while ago, because their
/// sender may not have got the answer and ask again. What is asked with the endpoint of a request before it, but is not
/// the same, is a new request: the prototype uses endpoints again at once.
///
/// Anybody can send a request, from any address. So no source, and no name, has more of them with irmd than it leaves to
/// the others; and answers that refuse do not drive out those that accept, which only processes of this host can give.
struct ArrivedRequests: Sendable {
    /// Who asks: endpoints are numbers of their host.
    struct Key: Hashable, Sendable {
        let source: DatagramAddress
        let requester: EndpointID
    }

    /// What has become of a request that came before.
    enum Known: Sendable {
        case no
        case pending
        case answered([UInt8])
    }

    /// Asked and not answered.
    struct Pending: Sendable {
        let key: Key
        let hash: [UInt8]
        /// Of the request.
        let bytes: Int
        fileprivate let number: UInt64
        fileprivate let until: Instant
    }

    private struct Record: Sendable {
        let fingerprint: Fingerprint
        /// Counts all records, so that the entry of an old one does not remove its successor.
        let number: UInt64
        /// Nil while irmd has not answered.
        var reply: [UInt8]?
    }

    private var records: [Key: Record] = [:]
    private var unanswered: [RequestID: Pending] = [:]
    private var byAddress = Shares<DatagramAddress>(of: Limits.arrivedRequests)
    private var byNetwork = Shares<DatagramAddress>(of: Limits.arrivedRequests)
    private var byName = Shares<[UInt8]>(of: Limits.arrivedRequests)
    /// When to look for pending ones that have waited too long; not after the first of them has.
    private var nextLook: Instant?
    private var accepted = AnsweredRequests()
    private var refused = AnsweredRequests()
    /// When to forget answers: many at once, so that the layer does not wake for each.
    private var nextForgetting: Instant?
    private var nextNumber: UInt64 = 1

    var pending: Int { unanswered.count }
    var answered: Int { accepted.count + refused.count }
    /// When `expire` wants to be called.
    var deadline: Instant? { Instant.earlier(nextLook, nextForgetting) }

    func known(_ key: Key, _ fingerprint: Fingerprint) -> Known {
        guard let record = records[key], record.fingerprint == fingerprint else { return .no }
        return record.reply.map { .answered($0) } ?? .pending
    }

    /// A number for irmd; nil if irmd has too many already, of this source or to this name. A request before it from the
    /// same endpoint is forgotten.
    mutating func add(_ key: Key, _ hash: [UInt8], _ fingerprint: Fingerprint, now: Instant) -> RequestID? {
        if let old = records[key], old.reply == nil { _ = end(RequestID(old.number)) }
        // An address leaves something to its network, too.
        guard byAddress.hasRoom(for: key.source.with(port: 0), weight: 2), byNetwork.hasRoom(for: key.source.network),
            byName.hasRoom(for: hash)
        else { return nil }
        byAddress.add(for: key.source.with(port: 0))
        byNetwork.add(for: key.source.network)
        byName.add(for: hash)
        let number = nextNumber
        nextNumber += 1
        records[key] = Record(fingerprint: fingerprint, number: number)
        let until = now + Limits.arrivalPatience
        unanswered[RequestID(number)] = Pending(
            key: key, hash: hash, bytes: fingerprint.count, number: number, until: until)
        nextLook = nextLook ?? until
        return RequestID(number)
    }

    /// irmd answers: whom. Nil if nobody waits.
    func asker(of id: RequestID) -> Pending? { unanswered[id] }

    mutating func answer(_ id: RequestID, _ reply: [UInt8], accepts: Bool, now: Instant) {
        guard let pending = end(id) else { return }
        records[pending.key]?.reply = reply
        let until = now + Limits.answerMemory
        let answered = AnsweredRequests.Element(key: pending.key, number: pending.number, until: until)
        let forgotten = accepts ? accepted.append(answered) : refused.append(answered)
        if let forgotten { forget(forgotten) }
        nextForgetting = nextForgetting ?? until + Limits.answerMemorySlack
    }

    private mutating func end(_ id: RequestID) -> Pending? {
        guard let pending = unanswered.removeValue(forKey: id) else { return nil }
        byAddress.remove(for: pending.key.source.with(port: 0))
        byNetwork.remove(for: pending.key.source.network)
        byName.remove(for: pending.hash)
        return pending
    }

    mutating func expire(now: Instant) {
        if let nextForgetting, nextForgetting <= now {
            while let old = accepted.popFirst(until: now) ?? refused.popFirst(until: now) { forget(old) }
            let next = Instant.earlier(accepted.deadline, refused.deadline)
            self.nextForgetting = next.map { $0 + Limits.answerMemorySlack }
        }
        guard let nextLook, nextLook <= now else { return }
        // irmd has not answered.
        for (id, pending) in unanswered where pending.until <= now {
            _ = end(id)
            if records[pending.key]?.number == pending.number { records[pending.key] = nil }
        }
        self.nextLook = unanswered.values.map(\.until).min()
    }

    private mutating func forget(_ answered: AnsweredRequests.Element) {
        if records[answered.key]?.number == answered.number { records[answered.key] = nil }
    }
}

/// Answered requests in the order in which they are forgotten.
private struct AnsweredRequests: Sendable {
    struct Element: Sendable {
        let key: ArrivedRequests.Key
        let number: UInt64
        let until: Instant
    }

    private var elements: Deque<Element> = []

    var count: Int { elements.count }
    var deadline: Instant? { elements.first?.until }

    /// The oldest if there are too many.
    mutating func append(_ element: Element) -> Element? {
        let oldest = elements.count < Limits.answeredRequests ? nil : elements.popFirst()
        elements.append(element)
        return oldest
    }

    mutating func popFirst(until now: Instant) -> Element? {
        guard let deadline, deadline <= now else { return nil }
        return elements.popFirst()
    }
}
