// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary

/// What the log is told of a hosts file. Who writes the file can do so each second, with other mistakes each time; so there
/// is a number of times that comes back slowly, and at last the log says what is there then. Owned by the directory.
struct HostsNews: Sendable {
    private enum Reading: Sendable {
        case read(names: Int, mistakes: Int, named: [HostsFile.Mistake])
        case unreadable(FileObstacle)
    }

    private let path: [UInt8]
    private var times = Limits.hostsNewsAtOnce
    /// From when the next of them is counted.
    private var since = Instant(nanoseconds: 0)
    /// The last that the log was not told, and how many came before it.
    private var unsaid: (reading: Reading, before: Int)?
    private var named: [HostsFile.Mistake] = []

    init(path: [UInt8]) { self.path = path }

    /// When `expire` wants to be called.
    var deadline: Instant? { unsaid == nil ? nil : since + Limits.hostsNewsInterval }

    mutating func read(_ file: HostsFile, now: Instant, into actions: inout [DatagramAction]) {
        tell(.read(names: file.count, mistakes: file.mistakeCount, named: file.mistakes), now: now, into: &actions)
    }

    mutating func lacks(_ obstacle: FileObstacle, now: Instant, into actions: inout [DatagramAction]) {
        tell(.unreadable(obstacle), now: now, into: &actions)
    }

    mutating func expire(now: Instant, into actions: inout [DatagramAction]) {
        refill(now)
        guard times > 0, let last = unsaid else { return }
        unsaid = nil
        times -= 1
        if last.before > 0 { actions.append(.report(.lower(.hostsNotReported(times: last.before)))) }
        say(last.reading, into: &actions)
    }

    private mutating func tell(_ reading: Reading, now: Instant, into actions: inout [DatagramAction]) {
        unsaid = (reading, unsaid.map { $0.before + 1 } ?? 0)
        expire(now: now, into: &actions)
    }

    private mutating func refill(_ now: Instant) {
        while times < Limits.hostsNewsAtOnce, since + Limits.hostsNewsInterval <= now {
            times += 1
            since = since + Limits.hostsNewsInterval
        }
        if times == Limits.hostsNewsAtOnce { since = now }
    }

    private mutating func say(_ reading: Reading, into actions: inout [DatagramAction]) {
        switch reading {
        case .read(let names, let mistakes, let named):
            actions.append(.report(.lower(.hostsRead(names: names, mistakes: mistakes))))
            // Somebody has read these.
            if named != self.named { actions += named.map { .report(.lower(.hostsMistake(path: path, $0))) } }
            self.named = named
        case .unreadable(let obstacle):
            actions.append(.report(.lower(.hostsUnreadable(path: path, obstacle))))
        }
    }
}
