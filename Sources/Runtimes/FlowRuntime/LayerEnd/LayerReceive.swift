// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import FlowProtocol
import Platform
import Vocabulary

/// How a process reads messages of a flow between hosts that FRCP keeps in order. What `FlowReceive` is for other flows.
enum LayerReceive {
    enum Outcome {
        case bytes(Int)
        case failed(Failure)
        case empty
    }

    /// Calls `take` with the lock held, again after each wait until there is something.
    static func receive(
        _ descriptor: Int32, _ entry: FlowPointer, _ timeout: TimeSpan?,
        _ take: (LayerMemory, FlowEnd, _ flags: UInt32) -> Outcome
    ) throws(Failure) -> Int {
        var wait = Wait()
        while true {
            guard let (layer, end) = entry.lockLayer() else { throw wait.hasBegun ? .flowDown : .notAllocated }
            let now = Clock.now().nanoseconds
            let flags = cl_load32_relaxed(&end.settings.pointee.flags)
            if let failure = end.refusal(flags) {
                cl_unlock(end.readLock)
                throw failure
            }
            var outcome = take(layer, end, flags)
            if case .empty = outcome {
                var isMore = true
                while isMore, case .empty = outcome {
                    isMore = entry.turnLayer(layer, end, now: now)
                    outcome = take(layer, end, flags)
                }
                if case .empty = outcome, let failure = entry.readingFailure(end) {
                    // An IPCP that has gone has written all its packets before: this turn finds them.
                    entry.turnLayer(layer, end, now: now)
                    outcome = take(layer, end, flags)
                    if case .empty = outcome { outcome = .failed(failure) }
                }
            }
            // What was read may be room that the peer waits for.
            if case .bytes = outcome, layer.state.pointee.machine.isDue {
                entry.turnLayer(layer, end, now: now)
            }
            switch outcome {
            case .bytes(let bytes):
                wait.end(&end.receiving.pointee.patience)
                if end.receiving.pointee.writerFences { entry.releaseWriter(end.receiving) }
                entry.leaveLayer(layer, end, descriptor, now: now)
                return bytes
            case .failed(let failure):
                entry.leaveLayer(layer, end, descriptor, now: now)
                throw failure
            case .empty: try entry.waitOnLayer(layer, end, descriptor, .receive, &wait, timeout, now: now)
            }
        }
    }

    /// Copies the oldest message or the next piece of it, at most `count` bytes. spec: c-api §5.7
    static func deliver(
        _ layer: LayerMemory, _ end: FlowEnd, _ count: Int, _ flags: UInt32,
        _ copy: (_ source: UnsafeRawPointer, _ offset: Int, _ bytes: Int) -> Void
    ) -> Outcome {
        let state = layer.state
        if state.pointee.endIsDue {
            state.pointee.endIsDue = false
            return .bytes(0)
        }
        if count == 0 { return .bytes(0) }
        guard var cursor = state.pointee.cursor ?? layer.firstCursor() else { return .empty }
        let whole = flags & FlowFlags.readWhole != 0
        if whole, state.pointee.cursor == nil, layer.bytesLeft(from: cursor) > count {
            layer.finish(layer.lastPiece(from: cursor), end)
            return .failed(.messageTooLong)
        }
        var done = 0
        while true {
            let bytes = min(cursor.piece.length - cursor.offset, count - done)
            layer.arrived(cursor.piece.place + cursor.offset, bytes) { source, piece in
                copy(source, done, piece)
                done += piece
            }
            cursor.offset += bytes
            let isPieceRead = cursor.offset == cursor.piece.length
            if isPieceRead, cursor.piece.isLast {
                state.pointee.cursor = nil
                state.pointee.endIsDue = done == count && !whole
                layer.finish(cursor.piece, end)
                return .bytes(done)
            }
            if isPieceRead, let next = layer.piece(after: cursor.piece) {
                cursor = LayerState.Cursor(piece: next, offset: 0)
            }
            if done == count {
                state.pointee.cursor = cursor
                return .bytes(done)
            }
        }
    }
}

extension LayerMemory {
    /// The beginning of the oldest message; nil: there is none.
    func firstCursor() -> LayerState.Cursor? { piece(after: nil).map { LayerState.Cursor(piece: $0, offset: 0) } }

    func piece(after previous: Receiver.Piece?) -> Receiver.Piece? {
        withMachine { machine, _, arrived in
            machine.piece(after: previous, capacity: LayerMemory.arrivedBytes, in: arrived)
        }
    }

    func lastPiece(from cursor: LayerState.Cursor) -> Receiver.Piece {
        var piece = cursor.piece
        while !piece.isLast, let next = self.piece(after: piece) { piece = next }
        return piece
    }

    func bytesLeft(from cursor: LayerState.Cursor) -> Int {
        var piece = cursor.piece
        var bytes = piece.length - cursor.offset
        while !piece.isLast, let next = self.piece(after: piece) {
            piece = next
            bytes += piece.length
        }
        return bytes
    }

    /// The oldest message was read, up to its last piece.
    func finish(_ piece: Receiver.Piece, _ end: FlowEnd) {
        withMachine { machine, _, arrived in machine.finish(piece, &arrived) }
        state.pointee.due = 0
        state.pointee.readMessages += 1
        cl_store64_relaxed(&end.receiving.pointee.read, state.pointee.readMessages)
    }

    /// Messages that could be read ever.
    var delivered: UInt64 {
        state.pointee.readMessages + UInt64(state.pointee.machine.messages)
    }
}
