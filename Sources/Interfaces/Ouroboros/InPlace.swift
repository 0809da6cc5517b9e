// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

// Messages that are written and read where they lie in the flow's memory, without a copy. It pays for large ones.

extension Flow {
    /// Sends a message that `fill` writes in place. Nothing else can be written to the flow until `fill` ends: such
    /// calls throw `busy`. If `fill` throws, or appends nothing, nothing is sent.
    ///
    /// ```swift
    /// try flow.write(upTo: image.byteCount) { message in
    ///     image.encode(into: &message)
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - count: The largest number of bytes of the message.
    ///   - deadline: As in ``write(_:deadline:)-([UInt8],_)``.
    ///   - fill: Appends the message to the span.
    /// - Returns: The number of bytes of the message.
    /// - Throws: What `fill` throws, or ``OuroborosError`` like ``write(_:deadline:)-([UInt8],_)``, and with `busy`.
    @discardableResult
    public func write(
        upTo count: Int, deadline: Deadline? = nil, _ fill: (inout OutputRawSpan) throws -> Void
    ) throws -> Int {
        let room = try reporting { () throws(Failure) in
            try FlowTransmit.reserve(descriptor, count: count, timeout: deadline?.left)
        }
        var written = 0
        do {
            var span = OutputRawSpan(buffer: room, initializedCount: 0)
            try fill(&span)
            written = span.finalize(for: room)
        } catch {
            // What gives the place back can fail only because the flow is closed.
            _ = try? FlowTransmit.commit(descriptor, count: 0)
            throw error
        }
        return try reporting { () throws(Failure) in try FlowTransmit.commit(descriptor, count: written) }
    }

    /// Receives one whole message, or the rest of a message that was begun in parts, and gives it to `use` in place.
    /// Nothing else can be read from the flow until `use` ends: such calls throw `busy`. The message is gone when `use`
    /// ends, however it ends.
    ///
    /// The bytes are in memory that the other end shares: a peer that breaks the rules can change them while `use` looks
    /// at them. Copy a message before you check it.
    ///
    /// - Parameters:
    ///   - deadline: As in ``read(deadline:)``.
    ///   - use: Gets the bytes of the message.
    /// - Returns: What `use` returns.
    /// - Throws: What `use` throws, or ``OuroborosError`` like ``read(deadline:)``, and with `busy`.
    public func withNextMessage<Result>(
        deadline: Deadline? = nil, _ use: (RawSpan) throws -> Result
    ) throws -> Result {
        let message = try reporting { () throws(Failure) in
            try FlowReceive.peek(descriptor, timeout: deadline?.left)
        }
        // It fails only if the flow was closed meanwhile.
        defer { try? FlowReceive.release(descriptor) }
        return try use(message.bytes)
    }
}
