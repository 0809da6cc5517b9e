// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary
import Wire

/// The requests of the last seconds, so that none is answered twice. What is older need not be kept: it is refused for
/// its age. spec: oap §2
///
/// Anybody can send requests, with any source. When there are too many, the oldest is forgotten, and what was sent no later
/// than that one is refused from then on: a flood shortens the time that a request may take, and keeps no new one out.
struct SeenRequests: Sendable {
    private struct Key: Hashable, Sendable {
        let timestamp: UInt64
        let id: [UInt8]
    }

    private var keys: Set<Key> = []
    /// In order of arrival, the oldest at `first`.
    private var arrivals: [(key: Key, arrival: WallTime)] = []
    private var first = 0
    /// What was sent no later may have been here.
    private var horizon: WallTime?
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

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
        if let horizon, sent <= horizon { throw .crowded }
        if keys.count >= capacity {
            let oldest = WallTime(nanoseconds: arrivals[first].key.timestamp)
            horizon = max(horizon ?? oldest, oldest)
            forgetFirst()
        }
        keys.insert(key)
        arrivals.append((key, now))
    }

    /// By arrival: a request may say that it was sent a little later than that, and then stays fresh so much longer.
    private mutating func purge(_ now: WallTime) {
        let longest = Limits.authenticationAge.adding(Limits.authenticationLead).adding(TimeSpan(milliseconds: 2))
        while first < arrivals.count, now.since(arrivals[first].arrival) > longest { forgetFirst() }
        // The clock was set back. Nothing that was here before can be known by its time.
        if let last = horizon, last.since(now) > Limits.authenticationLead.adding(TimeSpan(milliseconds: 2)) {
            horizon = nil
        }
    }

    private mutating func forgetFirst() {
        keys.remove(arrivals[first].key)
        first += 1
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
