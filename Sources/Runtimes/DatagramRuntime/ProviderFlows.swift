// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import DequeModule
import FlowRuntime
import Vocabulary

/// The flows of a layer's users, and which of them have packets that are not sent yet.
struct ProviderFlows: ~Copyable {
    private let set: FlowSet
    private let events = EventQueue()
    /// Each once; they take turns.
    private var unsent: Deque<Int32> = []
    private var states = [State](repeating: .closed, count: Limits.descriptors)

    /// `look` has not come to an end: the descriptor does not say when to call it.
    private(set) var mustLook = false
    private static let looks = 16

    private enum State: UInt8 {
        case closed
        case resting
        case unsent
    }

    init() throws(Failure) {
        let set = FlowSets.create()
        guard let set else { throw .tableFull }
        self.set = set
    }

    deinit { FlowSets.destroy(set) }

    /// Readable when `look` may find something, unless `mustLook`.
    var pollDescriptor: Int32 { get throws(Failure) { try FlowSets.pollDescriptor(set, for: .whoeverGoesOn) } }
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Bytes that each flow shall have ready. Many flows together shall not have more than stays in the cache until it is
    /// sent; and as long as none has more than a few packets ready, they take turns often.
    var appetite: UInt64 { max(Limits.readyBytes / UInt64(unsent.count + 1), Limits.leastReadyBytes) }

    mutating func add(_ port: Int32) throws(Failure) {
        mustLook = true
        try FlowSets.add(port, to: set)
        states[Int(port)] = .resting
    }

    mutating func release(_ port: Int32) {
        states[Int(port)] = .closed
        try? Attachment.deallocate(port)
    }

    mutating func discard(_ port: Int32) {
        states[Int(port)] = .closed
        ProviderFlow.discard(port)
    }

    /// Until nothing is found, which arms the descriptor again; or until it has found something so often that it is the
    /// others' turn: a user can say all the time that he has packets.
    mutating func look() {
        mustLook = true
        for _ in 0..<ProviderFlows.looks {
            guard (try? FlowSets.wait(set, events, timeout: TimeSpan(nanoseconds: 0))) != nil else {
                mustLook = false
                return
            }
            while let (port, _, _) = events.takeAll() { if states[Int(port)] == .resting { goesOn(port) } }
        }
    }

    /// The flow whose turn it is. If it has more after that, `goesOn` says so.
    mutating func next() -> Int32? {
        while let port = unsent.popFirst() {
            guard states[Int(port)] == .unsent else { continue }
            states[Int(port)] = .resting
            return port
        }
        return nil
    }

    mutating func goesOn(_ port: Int32) {
        guard states[Int(port)] == .resting else { return }
        states[Int(port)] = .unsent
        unsent.append(port)
    }
}
