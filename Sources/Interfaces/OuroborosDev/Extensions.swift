// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import FlowRuntime
import Vocabulary

// The part of `ouroboros/dev.h` that the prototype does not have. What each function does and returns is said there.

/// The parts as a collection. EINVAL for what is none.
private func parts(_ parts: UnsafePointer<iovec>?, _ count: Int32) throws(Failure) -> UnsafeBufferPointer<iovec> {
    guard count >= 0, count == 0 || parts != nil else { throw .invalid }
    return UnsafeBufferPointer(start: parts, count: Int(count))
}

/// Writes one message of several pieces.
@c(flow_writev)
public func flowWritePieces(_ descriptor: Int32, _ pieces: UnsafePointer<iovec>?, _ count: Int32) -> Int {
    do throws(Failure) {
        return try FlowTransmit.write(descriptor, try parts(pieces, count))
    } catch {
        return Int(negative(error))
    }
}

/// Reads one message, or the next piece of it, into several buffers.
@c(flow_readv)
public func flowReadPieces(_ descriptor: Int32, _ pieces: UnsafePointer<iovec>?, _ count: Int32) -> Int {
    do throws(Failure) {
        return try FlowReceive.read(descriptor, into: try parts(pieces, count))
    } catch {
        return Int(negative(error))
    }
}

/// Finds a place for a message.
@c(flow_reserve)
public func flowReserve(
    _ descriptor: Int32, _ buffer: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ count: Int
) -> Int {
    guard let buffer else { return Int(negative(.invalid)) }
    do throws(Failure) {
        buffer.pointee = try FlowTransmit.reserve(descriptor, count: count).baseAddress
        return count
    } catch {
        return Int(negative(error))
    }
}

/// Sends what was written in place.
@c(flow_commit)
public func flowCommit(_ descriptor: Int32, _ count: Int) -> Int {
    do throws(Failure) {
        return try FlowTransmit.commit(descriptor, count: count)
    } catch {
        return Int(negative(error))
    }
}

/// Shows a message in place.
@c(flow_peek)
public func flowPeek(_ descriptor: Int32, _ buffer: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
    guard let buffer else { return Int(negative(.invalid)) }
    do throws(Failure) {
        let message = try FlowReceive.peek(descriptor)
        buffer.pointee = message.baseAddress
        return message.count
    } catch {
        return Int(negative(error))
    }
}

/// Lets go of a message that was read in place.
@c(flow_release)
public func flowRelease(_ descriptor: Int32) -> Int32 {
    do throws(Failure) {
        try FlowReceive.release(descriptor)
        return 0
    } catch {
        return negative(error)
    }
}
