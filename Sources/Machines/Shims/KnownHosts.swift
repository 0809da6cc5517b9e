// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// The hosts that have shown lately that they are of this system: they know a repeated request again, and understand that a
/// flow has ended. By address and port. Whoever answers or is answered can claim it, so being known gives no rights.
/// spec: frcp-profile-1 §1
struct KnownHosts: Sendable {
    private struct Record: Sendable {
        var until: Instant
        let timer: TimerQueue<DatagramAddress>.Timer
    }

    private var records: [DatagramAddress: Record] = [:]
    private var shares = Shares<DatagramAddress>(of: Limits.knownHosts)
    private var timers = TimerQueue<DatagramAddress>()

    var count: Int { records.count }
    /// When `expire` wants to be called.
    var deadline: Instant? { timers.deadline }

    func contains(_ host: DatagramAddress, now: Instant) -> Bool { records[host].map { $0.until > now } ?? false }

    /// It has shown it now. Not remembered if its network has its share.
    mutating func note(_ host: DatagramAddress, now: Instant) {
        let until = now + Limits.knownHostMemory
        if let place = records.index(forKey: host) {
            // Its timer comes up too early, and is set again then.
            records.values[place].until = until
        } else if shares.add(for: host.network) {
            records[host] = Record(until: until, timer: timers.set(host, at: until))
        }
    }

    /// It has answered as a host of this system does not.
    mutating func forget(_ host: DatagramAddress) {
        guard let record = records.removeValue(forKey: host) else { return }
        timers.cancel(record.timer)
        shares.remove(for: host.network)
    }

    mutating func expire(now: Instant) {
        while let host = timers.next(now: now) {
            guard let record = records[host] else { continue }
            if record.until > now {
                records[host] = Record(until: record.until, timer: timers.set(host, at: record.until))
            } else {
                records[host] = nil
                shares.remove(for: host.network)
            }
        }
    }
}
