// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import DequeModule
import IPCP
import Platform
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
    /// that takes its time shall not keep anybody from the DNS server.
    private struct Lane: Sendable {
        var waiting: Deque<Inquiring> = []
        var threads = 0
    }

    private struct State: Sendable {
        var toServer = Lane()
        var toSystem = Lane()
        var events: [IPCPEvent] = []
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
    package func takeEvents() -> [IPCPEvent] {
        EventCounter.clear(bell.number)
        return state.withLock { state in
            defer { state.events.removeAll() }
            return state.events
        }
    }

    func tell(_ event: IPCPEvent) {
        state.withLock { $0.events.append(event) }
        EventCounter.raise(bell.number)
    }

    /// Then there is an event `resolved`.
    package func resolve(_ id: ResolutionID, _ inquiry: Inquiry) {
        enum Next { case thread, nothing, refusal }
        let lane = NameResolution.lane(of: inquiry)
        let next = state.withLock { state -> Next in
            guard state[keyPath: lane].waiting.count < Limits.questions else { return .refusal }
            state[keyPath: lane].waiting.append(Inquiring(id: id, inquiry: inquiry))
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
        let left = state.withLock { state -> Deque<Inquiring> in
            state[keyPath: lane].threads -= 1
            guard state[keyPath: lane].threads == 0 else { return [] }
            defer { state[keyPath: lane].waiting.removeAll() }
            return state[keyPath: lane].waiting
        }
        for inquiring in left { tell(.resolved(inquiring.id, .failed(failure))) }
    }

    private func answerInquiries(like inquiry: Inquiry) {
        while let next = nextInquiry(like: inquiry) {
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

    /// Nil: the thread ends.
    private func nextInquiry(like inquiry: Inquiry) -> Inquiring? {
        let lane = NameResolution.lane(of: inquiry)
        return state.withLock { state in
            if let next = state[keyPath: lane].waiting.popFirst() { return next }
            state[keyPath: lane].threads -= 1
            return nil
        }
    }

    /// One after the other. What becomes of it is in the log.
    package func publish(_ update: DNSUpdate) { updates.append(update) }

    /// The last update, when the daemon ends: waits until it is done, and at most `Limits.withdrawalTimeout`, or until
    /// the log says what was left undone.
    package func withdraw(_ update: DNSUpdate) { updates.end(with: update) }

    /// From now on there are events `hosts` and `noHosts`, as long as this exists.
    package func follow(_ path: [UInt8], for own: DatagramAddress) {
        do throws(Failure) {
            try Thread.start { [weak self] in
                var follower = HostsFollower(path: path, own: own)
                while let resolution = self {
                    if let event = follower.look() { resolution.tell(event) }
                    cl_sleep_nanoseconds(Limits.hostsInterval.nanoseconds)
                }
            }
        } catch {
            tell(.noHosts(error))
        }
    }
}
