// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory
import FlowProtocol
import Platform
import Vocabulary

/// Messages in place, of flows between hosts that FRCP keeps in order: a program fills and reads memory of its own process,
/// from which packets are made and to which they are put together.
enum LayerPlaces {
    /// See `FlowTransmit.reserve`. It waits for room, so that there is room for what is committed.
    static func reserve(
        _ descriptor: Int32, _ entry: FlowPointer, count: Int, timeout: TimeSpan?
    ) throws(Failure) -> UnsafeMutableRawBufferPointer {
        var wait = Wait()
        while true {
            guard let (layer, end) = entry.lockLayer() else { throw wait.hasBegun ? .flowDown : .notAllocated }
            let longest = layer.state.pointee.machine.longestMessage
            let isPossible = count >= 0 && count <= min(longest, LayerMemory.placeBytes)
            let failure = entry.writingFailure(end) ?? end.sending.pointee.reservation.refusal()
            if let failure = failure ?? (isPossible ? nil : .messageTooLong) {
                cl_unlock(end.readLock)
                throw failure
            }
            guard count == 0 || layer.room(for: UInt64(count)) != .none else {
                let now = Clock.now().nanoseconds
                try entry.waitForLayerRoom(count, layer, end, descriptor, &wait, timeout, now: now)
                continue
            }
            wait.end(&end.sending.pointee.patience)
            end.sending.pointee.reservation.begin(bytes: count)
            entry.hold(.reservation)
            cl_unlock(end.readLock)
            return UnsafeMutableRawBufferPointer(start: layer.filled, count: count)
        }
    }

    /// See `FlowTransmit.commit`.
    static func commit(_ descriptor: Int32, _ entry: FlowPointer, count: Int) throws(Failure) -> Int {
        guard count >= 0, entry.letGo(.reservation) else { throw .invalid }
        guard let (_, end) = entry.lockLayer() else {
            entry.leaveSleep()
            throw .flowDown
        }
        let reservation = end.sending.pointee.reservation
        guard reservation.isOurs, count <= reservation.bytes else {
            cl_unlock(end.readLock)
            entry.holdAgain(.reservation)
            throw .messageTooLong
        }
        end.sending.pointee.reservation.end()
        cl_unlock(end.readLock)
        // The flow's memory stays until here.
        defer { entry.leaveSleep() }
        guard count > 0 else { return 0 }
        try LayerTransmit.write(descriptor, entry, count: count, timeout: nil) { layer, position in
            layer.copyToSent(position, layer.filled, count)
        }
        return count
    }

    /// See `FlowReceive.readMessage`.
    static func readMessage(
        _ descriptor: Int32, _ entry: FlowPointer, _ timeout: TimeSpan?
    ) throws(Failure) -> [UInt8] {
        var message: [UInt8] = []
        _ = try LayerReceive.receive(descriptor, entry, timeout) { layer, end, _ in
            guard let cursor = layer.state.pointee.cursor ?? layer.firstCursor() else { return .empty }
            let bytes = layer.bytesLeft(from: cursor)
            message = [UInt8](unsafeUninitializedCapacity: bytes) { buffer, count in
                count = bytes
                layer.copyRest(from: cursor) { source, offset, piece in
                    if let base = buffer.baseAddress { cl_copy(base + offset, source, piece) }
                }
            }
            layer.state.pointee.cursor = nil
            layer.state.pointee.endIsDue = false
            layer.finish(layer.lastPiece(from: cursor), end)
            return .bytes(bytes)
        }
        return message
    }

    /// See `FlowReceive.peek`.
    static func peek(
        _ descriptor: Int32, _ entry: FlowPointer, _ timeout: TimeSpan?
    ) throws(Failure) -> UnsafeRawBufferPointer {
        var message = UnsafeRawBufferPointer(start: nil, count: 0)
        _ = try LayerReceive.receive(descriptor, entry, timeout) { layer, end, _ in
            layer.state.pointee.endIsDue = false
            guard let cursor = layer.state.pointee.cursor ?? layer.firstCursor() else { return .empty }
            let bytes = layer.bytesLeft(from: cursor)
            layer.copyRest(from: cursor) { source, offset, piece in cl_copy(layer.readable + offset, source, piece) }
            layer.state.pointee.heldPiece = layer.lastPiece(from: cursor)
            end.receiving.pointee.held.begin(bytes: bytes)
            entry.hold(.message)
            message = UnsafeRawBufferPointer(start: layer.readable, count: bytes)
            return .bytes(bytes)
        }
        return message
    }

    /// See `FlowReceive.release`.
    static func release(_ descriptor: Int32, _ entry: FlowPointer) throws(Failure) {
        guard entry.letGo(.message) else { throw .invalid }
        // The flow's memory stays until here.
        defer { entry.leaveSleep() }
        guard let (layer, end) = entry.lockLayer() else { throw .flowDown }
        let now = Clock.now().nanoseconds
        let isOurs = end.receiving.pointee.held.isOurs
        if isOurs {
            end.receiving.pointee.held.end()
            layer.state.pointee.cursor = nil
            if let piece = layer.state.pointee.heldPiece { layer.finish(piece, end) }
            layer.state.pointee.heldPiece = nil
            if layer.state.pointee.machine.isDue { entry.turnLayer(layer, end, now: now) }
        }
        entry.leaveLayer(layer, end, descriptor, now: now)
        guard isOurs else { throw .invalid }
    }
}

extension LayerMemory {
    /// Calls `copy` with each part of what is left of the message.
    func copyRest(
        from cursor: LayerState.Cursor, _ copy: (_ source: UnsafeRawPointer, _ offset: Int, _ bytes: Int) -> Void
    ) {
        var cursor = cursor
        var done = 0
        while true {
            arrived(cursor.piece.place + cursor.offset, cursor.piece.length - cursor.offset) { source, bytes in
                copy(source, done, bytes)
                done += bytes
            }
            guard !cursor.piece.isLast, let next = piece(after: cursor.piece) else { return }
            cursor = LayerState.Cursor(piece: next, offset: 0)
        }
    }
}

extension UnsafeBufferPointer<iovec> {
    /// Puts bytes where they belong if the parts are taken one after the other.
    func copy(_ source: UnsafeRawPointer, _ count: Int, at offset: Int) {
        var (skip, done) = (offset, 0)
        for part in self where done < count {
            guard part.iov_len > skip else {
                skip -= part.iov_len
                continue
            }
            let piece = Swift.min(part.iov_len - skip, count - done)
            if let base = part.iov_base { cl_copy(base + skip, source + done, piece) }
            done += piece
            skip = 0
        }
    }
}
