// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary
import Wire

/// The requests of the last seconds, so that none is answered twice. What is older need not be kept: it is refused for
/// its age. spec: oap §2
struct SeenRequests: Sendable {
    private struct Key: Hashable, Sendable {
        let timestamp: UInt64
        let id: [UInt8]
    }

    private var keys: Set<Key> = []
    /// In order of arrival, the oldest at `first`.
    private var arrivals: [(key: Key, arrival: WallTime)] = []
    private var first = 0

    var count: Int { keys.count }

    /// Throws if the request is not fresh, or was here before.
    mutating func note(_ message: AuthenticationMessage, now: WallTime) throws(AuthenticationTrouble) {
        let sent = WallTime(nanoseconds: message.timestamp)
        // In whole milliseconds, as the prototype compares.
        guard sent.since(now).milliseconds <= Limits.authenticationLead.milliseconds else { throw .early }
        guard now.since(sent).milliseconds <= Limits.authenticationAge.milliseconds else { throw .stale }
        purge(now)
        let key = Key(timestamp: message.timestamp, id: message.id)
        guard !keys.contains(key) else { throw .repeated }
        // To forget one would be to accept its repetition.
        guard keys.count < Limits.seenRequests else { throw .crowded }
        keys.insert(key)
        arrivals.append((key, now))
    }

    /// By arrival: a request may say that it was sent a little later than that, and then stays fresh so much longer.
    private mutating func purge(_ now: WallTime) {
        let longest = Limits.authenticationAge.adding(Limits.authenticationLead).adding(TimeSpan(milliseconds: 2))
        while first < arrivals.count, now.since(arrivals[first].arrival) > longest {
            keys.remove(arrivals[first].key)
            first += 1
        }
        if first > 1_024, first > arrivals.count / 2 {
            arrivals.removeFirst(first)
            first = 0
        }
    }
}

extension TimeSpan {
    fileprivate var milliseconds: UInt64 { nanoseconds / 1_000_000 }

    fileprivate func adding(_ other: TimeSpan) -> TimeSpan { TimeSpan(nanoseconds: nanoseconds + other.nanoseconds) }
}
