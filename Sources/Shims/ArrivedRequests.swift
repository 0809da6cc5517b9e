// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary
import Wire

/// Tells datagrams of one sender apart without keeping them. Who makes two of his that look alike harms himself only.
struct Fingerprint: Hashable, Sendable {
    private let value: UInt64

    /// FNV-1a.
    init(of bytes: [UInt8]) {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        self.value = value
    }
}

/// The requests of other hosts: those that irmd has to answer, and those that were answered a while ago, because their
/// sender may not have got the answer and ask again. What is asked with the endpoint of a request before it, but is not
/// the same, is a new request: the prototype uses endpoints again at once.
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

    private struct Record: Sendable {
        let fingerprint: Fingerprint
        /// Counts all records, so that the entry of an old one does not remove its successor.
        let number: UInt64
        /// Nil while irmd has not answered.
        var reply: [UInt8]?
    }

    private var records: [Key: Record] = [:]
    private var pendingKeys: [RequestID: (key: Key, number: UInt64, until: Instant)] = [:]
    /// When to look for pending ones that have waited too long; not after the first of them has.
    private var nextLook: Instant?
    /// Answered ones in order of their end, the oldest at `first`.
    private var ends: [(key: Key, number: UInt64, until: Instant)] = []
    private var first = 0
    private var nextNumber: UInt64 = 1

    var pending: Int { pendingKeys.count }
    var answered: Int { ends.count - first }
    /// When `expire` wants to be called.
    var deadline: Instant? {
        guard first < ends.count else { return nextLook }
        return nextLook.map { min($0, ends[first].until) } ?? ends[first].until
    }

    func known(_ key: Key, _ fingerprint: Fingerprint) -> Known {
        guard let record = records[key], record.fingerprint == fingerprint else { return .no }
        return record.reply.map { .answered($0) } ?? .pending
    }

    /// A number for irmd; nil if irmd has too many already. A request before it from the same endpoint is forgotten.
    mutating func add(_ key: Key, _ fingerprint: Fingerprint, now: Instant) -> RequestID? {
        guard pendingKeys.count < Limits.arrivedRequests else { return nil }
        let number = nextNumber
        nextNumber += 1
        if let old = records[key], old.reply == nil { pendingKeys[RequestID(old.number)] = nil }
        records[key] = Record(fingerprint: fingerprint, number: number)
        let until = now + Limits.arrivalPatience
        pendingKeys[RequestID(number)] = (key, number, until)
        nextLook = nextLook ?? until
        return RequestID(number)
    }

    /// irmd answers: whom. Nil if nobody waits.
    func asker(of id: RequestID) -> Key? { pendingKeys[id]?.key }

    mutating func answer(_ id: RequestID, _ reply: [UInt8], now: Instant) {
        guard let (key, number, _) = pendingKeys.removeValue(forKey: id) else { return }
        records[key]?.reply = reply
        if answered >= Limits.answeredRequests { forgetFirst() }
        ends.append((key, number, now + Limits.answerMemory))
    }

    mutating func expire(now: Instant) {
        while first < ends.count, ends[first].until <= now { forgetFirst() }
        guard let nextLook, nextLook <= now else { return }
        // irmd has not answered.
        for (id, pending) in pendingKeys where pending.until <= now {
            pendingKeys[id] = nil
            records[pending.key] = nil
        }
        self.nextLook = pendingKeys.values.map(\.until).min()
    }

    private mutating func forgetFirst() {
        let (key, number, _) = ends[first]
        if records[key]?.number == number { records[key] = nil }
        first += 1
        if first > 1_024, first > ends.count / 2 {
            ends.removeFirst(first)
            first = 0
        }
    }
}
