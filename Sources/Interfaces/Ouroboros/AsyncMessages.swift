// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

// Reads and writes that are awaited. No thread waits for a flow: one thread of the library polls for all of them.

extension Flow {
    /// Receives one whole message. The task is suspended while there is no message, whatever ``Flags`` and
    /// ``setReadTimeout(_:)`` say.
    ///
    /// A task that is cancelled throws `CancellationError` at once; a message is either returned or still there. An
    /// awaited flow cannot be in a ``FlowSet``.
    ///
    /// - Throws: `CancellationError`, or ``OuroborosError`` like ``read(deadline:)``, and with `notPermitted` if the flow
    ///   is in a ``FlowSet``, `tooManyDescriptors` or `outOfMemory` if the thread that polls cannot be started.
    public nonisolated(nonsending) func receive(deadline: Deadline = .never) async throws -> [UInt8] {
        var hasWaited = false
        var isLastLook = false
        while true {
            try Task.checkCancellation()
            let rings = bell.rings(for: .message)
            do throws(OuroborosError) {
                if let message = try tryRead() { return message }
            } catch {
                // A flow that is closed under somebody who waits is down. spec: c-api §5
                throw hasWaited && error.code == .notAllocated ? OuroborosError(.flowDown) : error
            }
            guard !isLastLook, deadline != .now else { throw OuroborosError(.timedOut) }
            isLastLook = try await !bell.wait(.message, since: rings, for: descriptor, until: deadline)
            hasWaited = true
        }
    }

    /// Sends the bytes as one message. The task is suspended while the flow is full, whatever ``Flags`` and
    /// ``setWriteTimeout(_:)`` say.
    ///
    /// A task that is cancelled throws `CancellationError` at once; nothing was sent then.
    ///
    /// An awaited flow cannot be in a ``FlowSet``.
    ///
    /// - Throws: `CancellationError`, or ``OuroborosError`` like ``write(_:deadline:)-([UInt8],_)``, and like
    ///   ``receive(deadline:)`` if the flow is in a ``FlowSet`` or the thread that polls cannot be started.
    public nonisolated(nonsending) func send(_ bytes: [UInt8], deadline: Deadline = .never) async throws {
        var hasWaited = false
        var isLastLook = false
        while true {
            try Task.checkCancellation()
            let rings = bell.rings(for: .room)
            do throws(OuroborosError) {
                if try tryWrite(bytes) { return }
            } catch {
                // As in `receive`.
                throw hasWaited && error.code == .notAllocated ? OuroborosError(.flowDown) : error
            }
            guard !isLastLook, deadline != .now else { throw OuroborosError(.timedOut) }
            isLastLook = try await !bell.wait(.room, since: rings, for: descriptor, until: deadline)
            hasWaited = true
        }
    }

    /// The messages of a flow, until its other end closes it.
    ///
    /// ```swift
    /// for try await packet in flow.packets {
    ///     try await flow.send(packet)
    /// }
    /// ```
    ///
    /// The sequence ends when the flow is down and all messages are read, or when the flow is closed here. It throws
    /// `CancellationError` when its task is cancelled, and ``OuroborosError`` for everything else, such as a silent
    /// peer. Several loops over one flow share its messages.
    public var packets: Packets { Packets(flow: self) }

    /// See ``Flow/packets``.
    public struct Packets: AsyncSequence, Sendable {
        fileprivate let flow: Flow

        /// Begins with the next message.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(flow: flow) }

        /// Receives one message after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            fileprivate let flow: Flow

            /// The next message; nil: the flow has ended.
            public nonisolated(nonsending) func next() async throws -> [UInt8]? {
                do {
                    return try await flow.receive()
                } catch OuroborosError.Code.flowDown, OuroborosError.Code.notAllocated {
                    return nil
                }
            }
        }
    }
}
