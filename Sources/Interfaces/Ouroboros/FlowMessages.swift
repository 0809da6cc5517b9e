// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

// Blocking reads and writes. Awaited ones are in AsyncMessages.swift.

extension Flow {
    /// Sends the bytes as one message. Waits while the flow is full, that is, while the other end leaves more than 1 MiB
    /// unread. An empty message only tells the other end that this end is alive; the reader does not see it.
    /// spec: c-api §5.6
    ///
    /// - Parameters:
    ///   - bytes: At most as many as ``longestMessage`` says.
    ///   - deadline: Nil: as ``setWriteTimeout(_:)`` and ``Flags`` say, which is without limit on a new flow.
    /// - Throws: ``OuroborosError`` with `timedOut` or `wouldBlock` if the flow stayed full, `messageTooLong`, `flowDown`,
    ///   `flowPeer`, `notPermitted` if the ``Flags/access`` of either end forbids it, `notAllocated` if the flow is
    ///   closed, `outOfMemory`, or `interrupted`; nothing was sent then.
    public func write(_ bytes: UnsafeRawBufferPointer, deadline: Deadline? = nil) throws(OuroborosError) {
        _ = try reporting { () throws(Failure) in
            try FlowTransmit.write(descriptor, bytes.baseAddress, count: bytes.count, timeout: deadline?.left)
        }
    }

    /// Sends the bytes of a span as one message, like the other forms of this call.
    public func write(_ bytes: RawSpan, deadline: Deadline? = nil) throws(OuroborosError) {
        try bytes.withUnsafeBytes { bytes throws(OuroborosError) in try write(bytes, deadline: deadline) }
    }

    /// Sends the bytes of an array as one message, like the other forms of this call.
    public func write(_ bytes: [UInt8], deadline: Deadline? = nil) throws(OuroborosError) {
        try write(bytes.span.bytes, deadline: deadline)
    }

    /// Sends the bytes as one message if there is room now.
    ///
    /// - Returns: Whether the message was sent.
    /// - Throws: Like ``write(_:deadline:)-([UInt8],_)``, but not `timedOut` and `wouldBlock`.
    public func tryWrite(_ bytes: [UInt8]) throws(OuroborosError) -> Bool {
        do throws(OuroborosError) {
            try write(bytes, deadline: .now)
            return true
        } catch {
            guard error.code == .timedOut else { throw error }
            return false
        }
    }

    /// Receives one whole message, whatever its length, or the rest of a message that was begun with
    /// ``read(into:deadline:)-(UnsafeMutableRawBufferPointer,_)``. Waits while there is no message. spec: c-api §5.7
    ///
    /// - Parameter deadline: Nil: as ``setReadTimeout(_:)`` and ``Flags`` say, which is without limit on a new flow.
    /// - Throws: ``OuroborosError`` with `timedOut` or `wouldBlock` if no message came, `flowDown` or `flowPeer` once all
    ///   messages are read, `notPermitted` if this end only writes, `notAllocated` if the flow is closed,
    ///   `outOfMemory` if the process can map no more of it, or `interrupted`.
    public func read(deadline: Deadline? = nil) throws(OuroborosError) -> [UInt8] {
        try reporting { () throws(Failure) in
            try FlowReceive.readMessage(descriptor, timeout: deadline?.left)
        }
    }

    /// Receives one whole message if there is one now; otherwise returns nil.
    ///
    /// - Throws: Like ``read(deadline:)``, but not `timedOut` and `wouldBlock`.
    public func tryRead() throws(OuroborosError) -> [UInt8]? {
        do throws(OuroborosError) {
            return try read(deadline: .now)
        } catch {
            guard error.code == .timedOut else { throw error }
            return nil
        }
    }

    /// Receives a message, or the next part of one, into a buffer, without allocating memory.
    ///
    /// A message that does not fit is delivered in parts, one part for each call. A result smaller than the buffer ends
    /// a message; if the last part fills the buffer exactly, the next call returns 0 to mark the end. With
    /// ``Flags/readsWholeMessages`` there are neither parts nor this 0: a message that does not fit is discarded, and
    /// the call throws `messageTooLong`. Threads that read parts of one flow must agree which of them reads.
    /// spec: c-api §5.7
    ///
    /// - Parameters:
    ///   - buffer: The place for the bytes.
    ///   - deadline: Nil: as ``setReadTimeout(_:)`` and ``Flags`` say, which is without limit on a new flow.
    /// - Returns: The number of bytes.
    /// - Throws: Like ``read(deadline:)``.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, deadline: Deadline? = nil
    ) throws(OuroborosError) -> Int {
        try reporting { () throws(Failure) in
            try FlowReceive.read(descriptor, into: buffer.baseAddress, count: buffer.count, timeout: deadline?.left)
        }
    }

    /// Receives a message, or the next part of one, into the memory of a span, like the form with a buffer.
    public func read(into span: inout MutableRawSpan, deadline: Deadline? = nil) throws(OuroborosError) -> Int {
        try span.withUnsafeMutableBytes { buffer throws(OuroborosError) in
            try read(into: buffer, deadline: deadline)
        }
    }
}
