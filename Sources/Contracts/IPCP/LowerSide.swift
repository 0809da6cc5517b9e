// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What an IPCP has below it: sockets, flows of other layers, or nothing. Each kind of lower side has events, actions and
/// log lines of its own; an IPCP's machine handles those of one kind and sees no others.
package protocol LowerSide: Sendable {
    /// What happens below.
    associatedtype Event: Hashable & Sendable
    /// What the machine wants done below.
    associatedtype Action: Hashable & Sendable
    associatedtype Report: LogLine
}

/// A line of the log. Its text is made only if the line is written.
package protocol LogLine: Hashable, Sendable {
    var level: LogLevel { get }
    /// The part of the daemon that speaks. spec: irmd §3
    var component: String { get }
    var text: String { get }
}

/// The lower side of a layer that keeps books and carries no packets.
package enum NoLowerSide: LowerSide {
    package typealias Event = Never
    package typealias Action = Never
    package typealias Report = Never
}

extension Never: LogLine {
    package var level: LogLevel { switch self {} }
    package var component: String { switch self {} }
    package var text: String { switch self {} }
}
