// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

// What can be asked of an open flow and set on it. All throw ``OuroborosError`` with `notAllocated` if the flow is
// closed. spec: c-api §6

extension Flow {
    /// How an end of a flow behaves. A new flow is like `Flags()`.
    public struct Flags: Hashable, Sendable {
        /// Which way messages may go.
        public enum Access: UInt32, Sendable {
            /// This end only reads.
            case readOnly = 0
            /// This end only writes; the other end cannot write as long as this is set.
            case writeOnly = 1
            /// Both.
            case readWrite = 2
        }

        /// Which way messages may go.
        public var access = Access.readWrite
        /// The flow is down: reads and writes throw `flowDown`, and the peer's set gets ``FlowSet/Event/Kind/down``.
        /// When this is cleared, the flow is up again.
        public var isDown = false
        /// A read without a deadline throws `wouldBlock` instead of waiting.
        public var readsWithoutWaiting = false
        /// A write without a deadline throws `wouldBlock` instead of waiting.
        public var writesWithoutWaiting = false
        /// A message that does not fit its buffer is discarded, not read in parts.
        public var readsWholeMessages = false

        /// The flags of a new flow.
        public init() {}

        init(_ bits: UInt32) {
            access = Access(rawValue: bits & FlowFlags.accessMode) ?? .readWrite
            isDown = bits & FlowFlags.down != 0
            readsWithoutWaiting = bits & FlowFlags.readNonBlocking != 0
            writesWithoutWaiting = bits & FlowFlags.writeNonBlocking != 0
            readsWholeMessages = bits & FlowFlags.readWhole != 0
        }

        var bits: UInt32 {
            access.rawValue | FlowFlags.writeWhole
                | (isDown ? FlowFlags.down : 0)
                | (readsWithoutWaiting ? FlowFlags.readNonBlocking : 0)
                | (writesWithoutWaiting ? FlowFlags.writeNonBlocking : 0)
                | (readsWholeMessages ? FlowFlags.readWhole : 0)
        }
    }

    /// The flags of this end.
    public var flags: Flags {
        get throws(OuroborosError) {
            Flags(try reporting { () throws(Failure) in try FlowControl.flags(descriptor) })
        }
    }

    /// Replaces all flags of this end. The peer learns the flags that concern it.
    public func setFlags(_ flags: Flags) throws(OuroborosError) {
        try reporting { () throws(Failure) in try FlowControl.setFlags(descriptor, flags.bits) }
    }

    /// How long a read without a deadline waits; nil: without limit.
    public var readTimeout: Duration? {
        get throws(OuroborosError) {
            try reporting { () throws(Failure) in try FlowControl.timeout(descriptor, .receive)?.duration }
        }
    }

    /// Sets how long a read without a deadline waits; nil: without limit, zero: it looks once.
    public func setReadTimeout(_ timeout: Duration?) throws(OuroborosError) {
        try reporting { () throws(Failure) in
            try FlowControl.setTimeout(descriptor, .receive, timeout.map(TimeSpan.init))
        }
    }

    /// How long a write without a deadline waits for room; nil: without limit.
    public var writeTimeout: Duration? {
        get throws(OuroborosError) {
            try reporting { () throws(Failure) in try FlowControl.timeout(descriptor, .send)?.duration }
        }
    }

    /// Sets how long a write without a deadline waits for room; nil: without limit, zero: it looks once.
    public func setWriteTimeout(_ timeout: Duration?) throws(OuroborosError) {
        try reporting { () throws(Failure) in try FlowControl.setTimeout(descriptor, .send, timeout.map(TimeSpan.init))
        }
    }

    /// How many bytes a message that is written here may have: 16,777,216 inside the host and on flows in order to another
    /// host, one packet of the layer on other flows and to hosts with the prototype. It does not change while the flow lives.
    public var longestMessage: Int {
        get throws(OuroborosError) {
            try reporting { () throws(Failure) in try FlowControl.longestMessage(descriptor) }
        }
    }

    /// Messages that wait to be read here.
    public var arrivingQueueLength: Int {
        get throws(OuroborosError) {
            try reporting { () throws(Failure) in try FlowControl.receiveQueueLength(descriptor) }
        }
    }

    /// Messages that the peer has not read.
    public var departingQueueLength: Int {
        get throws(OuroborosError) {
            try reporting { () throws(Failure) in try FlowControl.sendQueueLength(descriptor) }
        }
    }
}
