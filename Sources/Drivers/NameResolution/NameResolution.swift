// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import DequeModule
import Platform
import Shims
import Synchronization
import Vocabulary

/// Does for a daemon what would make it wait: asks DNS servers and the resolver of the system, tells DNS servers, reads
/// the hosts file. Threads begin when there is work and end when there is none. Every inquiry gets one outcome, which
/// waits until the daemon's loop takes it; the daemon owns this, and calls from its one thread.
package final class NameResolution: Sendable {
    private struct Inquiring: Sendable {
        let id: ResolutionID
        let inquiry: Inquiry
    }

    /// Inquiries of one kind, and how many threads are at them. The kinds do not share threads: a resolver of the system
    /// that takes its time shall not keep anybody from the DNS server. Users take turns, and one who asks for very many
    /// names has no more threads than he leaves to the others.
    private struct Lane: Sendable {
        private var waiting: [UserID: Deque<Inquiring>] = [:]
        private var turns: Deque<UserID> = []
        private(set) var count = 0
        private var busy = Shares<UserID>(of: Limits.resolvers)
        var threads = 0

        mutating func append(_ inquiring: Inquiring) {
            let user = inquiring.inquiry.user
            if waiting[user] == nil { turns.append(user) }
            waiting[user, default: []].append(inquiring)
            count += 1
        }

        /// Its user has a thread until `finished`.
        mutating func next() -> Inquiring? {
            for _ in turns.indices {
                guard let user = turns.popFirst() else { return nil }
                guard busy.hasRoom(for: user), let next = waiting[user]?.popFirst() else {
                    turns.append(user)
                    continue
                }
                if waiting[user]?.isEmpty == true { waiting[user] = nil } else { turns.append(user) }
                busy.add(for: user)
                count -= 1
                return next
            }
            return nil
        }

        mutating func finished(_ user: UserID) { busy.remove(for: user) }

        mutating func removeAll() -> [Inquiring] {
            defer {
                waiting.removeAll()
                turns.removeAll()
                count = 0
            }
            return waiting.values.flatMap { $0 }
        }
    }

    private struct State: Sendable {
        var toServer = Lane()
        var toSystem = Lane()
        var events: [DatagramLower.Event] = []
        /// Which hosts file is followed, by number; 0: none.
        var following: UInt64 = 0
        var followed: UInt64 = 0
    }

    /// Held for a few instructions, and around no call that waits.
    private let state = Mutex(State())
    private let bell: Descriptor
    private let updates: ServerUpdates

    /// `log` is called from any thread.
    package init(log: @escaping @Sendable (LogLevel, String) -> Void) throws(Failure) {
        let result = cl_eventfd()
        guard result >= 0 else { throw Failure(result: Int(result)) }
        bell = Descriptor(owning: result)
        updates = try ServerUpdates(log: log)
        try ServerInquiry.prepare()
    }

    /// Readable when `takeEvents` has something to give.
    package var descriptor: Int32 { bell.number }

    /// What has happened since the last call, in that order.
    package func takeEvents() -> [DatagramLower.Event] {
        EventCounter.clear(bell.number)
        return state.withLock { state in
            defer { state.events.removeAll() }
            return state.events
        }
    }

    func tell(_ event: DatagramLower.Event) {
        state.withLock { $0.events.append(event) }
        EventCounter.raise(bell.number)
    }

    /// Then there is an event `resolved`.
    package func resolve(_ id: ResolutionID, _ inquiry: Inquiry) {
        enum Next { case thread, nothing, refusal }
        let lane = NameResolution.lane(of: inquiry)
        let next = state.withLock { state -> Next in
            guard state[keyPath: lane].count < Limits.questions else { return .refusal }
            state[keyPath: lane].append(Inquiring(id: id, inquiry: inquiry))
            guard state[keyPath: lane].threads < Limits.resolvers else { return .nothing }
            state[keyPath: lane].threads += 1
            return .thread
        }
        switch next {
        case .nothing: break
        case .refusal: tell(.resolved(id, .failed(.busy)))
        case .thread:
            do throws(Failure) {
                try Thread.start { self.answerInquiries(like: inquiry) }
            } catch {
                failInquiries(like: inquiry, error)
            }
        }
    }

    private static func lane(of inquiry: Inquiry) -> WritableKeyPath<State, Lane> {
        switch inquiry.source {
        case .server: \.toServer
        case .system: \.toSystem
        }
    }

    /// Without a thread there are no answers, unless others are at it.
    private func failInquiries(like inquiry: Inquiry, _ failure: Failure) {
        let lane = NameResolution.lane(of: inquiry)
        let left = state.withLock { state -> [Inquiring] in
            state[keyPath: lane].threads -= 1
            guard state[keyPath: lane].threads == 0 else { return [] }
            return state[keyPath: lane].removeAll()
        }
        for inquiring in left { tell(.resolved(inquiring.id, .failed(failure))) }
    }

    private func answerInquiries(like inquiry: Inquiry) {
        var last: UserID?
        while let next = nextInquiry(like: inquiry, after: last) {
            last = next.inquiry.user
            let resolution =
                switch next.inquiry.source {
                case .server(let server): ServerInquiry.answer(to: next.inquiry, by: server)
                case .system: SystemInquiry.answer(to: next.inquiry)
                }
            tell(.resolved(next.id, NameResolution.checked(resolution)))
        }
    }

    /// What only the kernel knows: that an address is one of all hosts of a network.
    private static func checked(_ resolution: Resolution) -> Resolution {
        guard case .address(let bytes, _) = resolution, let address = DatagramAddress(bytes, port: 0),
            NetworkInterface.isBroadcast(address)
        else { return resolution }
        return .unknown
    }

    /// Nil: the thread ends. `last`: whose inquiry it has finished.
    private func nextInquiry(like inquiry: Inquiry, after last: UserID?) -> Inquiring? {
        let lane = NameResolution.lane(of: inquiry)
        return state.withLock { state in
            if let last { state[keyPath: lane].finished(last) }
            if let next = state[keyPath: lane].next() { return next }
            state[keyPath: lane].threads -= 1
            return nil
        }
    }

    /// One after the other. What becomes of it is in the log.
    package func publish(_ update: DNSUpdate) { updates.append(update) }

    /// The last update, when the daemon ends: waits until it is done, or the time is over and the log says what was left
    /// undone.
    package func withdraw(_ update: DNSUpdate, within time: TimeSpan = Limits.withdrawalTimeout) {
        updates.end(with: update, within: time)
    }

    /// Then there is an event `keyTried`, unless the file system does not answer.
    package func tryKey(_ id: RequestID, _ path: [UInt8], by rights: FileRights) {
        do throws(Failure) {
            try Thread.start { [weak self] in
                let obstacle = NamedFile.obstacle(at: path, by: rights)
                self?.tell(.keyTried(id, obstacle))
            }
        } catch {
            tell(.keyTried(id, .failure(error)))
        }
    }

    /// From now on there are events `hosts` and `noHosts`, as long as this exists or until `leave`. The file is read with
    /// the rights of who named it.
    package func follow(_ path: [UInt8], for own: DatagramAddress, by rights: FileRights) {
        let number = state.withLock { state in
            state.followed += 1
            state.following = state.followed
            return state.followed
        }
        do throws(Failure) {
            try Thread.start { [weak self] in
                var follower = HostsFollower(path: path, own: own, rights: rights)
                while let resolution = self, resolution.isFollowing(number) {
                    if let event = follower.look() { resolution.tell(event, of: number) }
                    cl_sleep_nanoseconds(Limits.hostsInterval.nanoseconds)
                }
            }
        } catch {
            tell(.noHosts(.failure(error)))
        }
    }

    /// No more events of a hosts file.
    package func leave() {
        state.withLock { state in
            state.following = 0
            state.events.removeAll {
                switch $0 {
                case .hosts, .noHosts: true
                default: false
                }
            }
        }
    }

    private func isFollowing(_ number: UInt64) -> Bool { state.withLock { $0.following == number } }

    private func tell(_ event: DatagramLower.Event, of number: UInt64) {
        let isWanted = state.withLock { state in
            guard state.following == number else { return false }
            state.events.append(event)
            return true
        }
        if isWanted { EventCounter.raise(bell.number) }
    }
}
