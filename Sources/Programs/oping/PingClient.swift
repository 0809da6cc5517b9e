// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CFlowControl
import CLinux
import COuroboros
import Ping
import Platform
import ToolSupport
import Vocabulary

/// Sends packets on one flow and times their replies. One thread: between two packets it reads.
struct PingClient {
    private let options: PingOptions
    private let flow: Int32
    private var statistics: PingStatistics
    private var buffer = [UInt8](repeating: 0, count: EchoPacket.sizes.upperBound)
    /// The timeout that the flow has now.
    private var timeout: TimeSpan?
    private var nextSending: Instant
    private var lastHeard: Instant

    /// Allocates a flow to the server, pings, and says what came of it: the exit status.
    static func run(_ options: PingOptions, server: [UInt8]) -> Int32 {
        var quality = qosspec_t(options.quality)
        let flow = flow_alloc(server.map(CChar.init(bitPattern:)) + [0], &quality, nil)
        guard flow >= 0 else {
            if !options.isJSON { Output.standard.line("Failed to allocate flow: \(flow).") }
            explainNoFlow("oping: no flow to \(printable(server))", flow)
            return 1
        }
        var client = PingClient(options, flow: flow, server: server)
        let status = client.ping()
        // The flow is of no more use, whatever this says.
        _ = flow_dealloc(flow)
        return status
    }

    private init(_ options: PingOptions, flow: Int32, server: [UInt8]) {
        self.options = options
        self.flow = flow
        statistics = PingStatistics(server: server, size: options.size)
        lastHeard = Clock.now()
        nextSending = lastHeard
    }

    private mutating func ping() -> Int32 {
        let isBusy = options.pace == .floodBusy
        // A write that cannot be done at once is done later: what waits here is to be read meanwhile.
        let flags = FLOWFRDWR | FLOWFRNOPART | FLOWFWNOBLOCK | (isBusy ? FLOWFRNOBLOCK : 0)
        _ = cf_set_flags(flow, UInt32(flags))  // fails only for a flow that is gone, as the next call then does
        if !options.isQuiet, !options.isJSON { Output.standard.write(statistics.header(options)) }
        let start = Clock.now()
        lastHeard = start
        nextSending = options.pace == .interval ? start + interval : start
        while cl_stop_signal() == 0, statistics.received < options.count, step() {}
        let elapsed = Clock.now().since(start)
        Output.standard.write(
            options.isJSON ? statistics.json(elapsed: elapsed) : statistics.summary(elapsed: elapsed))
        return statistics.isTotalLoss ? 1 : 0
    }

    private var interval: TimeSpan { TimeSpan(milliseconds: options.intervalMilliseconds) }

    /// Sends if it is time, then reads once. False = no more of this.
    private mutating func step() -> Bool {
        let now = Clock.now()
        let giveUp = lastHeard + options.patience
        guard now < giveUp else {
            say("Server timed out.")
            return false
        }
        if maySend, now >= nextSending {
            guard send(now) else { return false }
        }
        let next = maySend ? min(nextSending, giveUp) : giveUp
        return receive(waiting: next.since(now))
    }

    /// With a flood, one packet at a time is on its way.
    private var maySend: Bool {
        guard statistics.transmitted < options.count else { return false }
        return options.pace == .interval || statistics.transmitted == statistics.received
    }

    private mutating func send(_ now: Instant) -> Bool {
        let packet = EchoPacket(kind: .request, sequence: statistics.nextSequence, sent: now)
        let bytes = packet.bytes(count: options.size)
        let result = flow_write(flow, bytes, bytes.count)
        if result == -Int(EAGAIN) || result == -Int(EINTR) {
            nextSending = now + TimeSpan(milliseconds: 1)
            return true
        }
        guard result >= 0 else {
            say("Failed to send packet.")
            explain("oping", Int32(clamping: result))
            return false
        }
        statistics.sent()
        // From the plan and not from now, so that delays do not add up; but no burst after a long one.
        if options.pace == .interval { nextSending = max(nextSending + interval, now) }
        return true
    }

    private mutating func receive(waiting span: TimeSpan) -> Bool {
        // Short, because a signal may come just before the wait begins.
        let wanted = min(span, TimeSpan(milliseconds: 250))
        if options.pace != .floodBusy, wanted != timeout {
            var limit = timespec(tv_sec: 0, tv_nsec: Int(wanted.nanoseconds))
            _ = cf_set_receive_timeout(flow, &limit)  // as above
            timeout = wanted
        }
        let count = flow_read(flow, &buffer, buffer.count)
        switch count {
        case -Int(ETIMEDOUT), -Int(EAGAIN), -Int(EINTR): return true
        case -Int(EMSGSIZE): complain()
        case ..<0:
            say("Failed to read packet.")
            explain("oping", Int32(clamping: count))
            return false
        default: arrived(count)
        }
        return true
    }

    private mutating func arrived(_ count: Int) {
        let now = Clock.now()
        guard let packet = EchoPacket(reading: buffer.prefix(count)), packet.kind == .reply else { return complain() }
        guard UInt64(packet.sequence) < statistics.transmitted else {
            return say("Invalid id \(packet.sequence): the client has not sent a packet with this number.")
        }
        lastHeard = now
        let span = now.since(packet.sent)
        let isLate = statistics.replied(packet.sequence, after: span)
        guard !options.isQuiet, !options.isJSON else { return }
        Output.standard.line(
            statistics.line(
                bytes: count, packet.sequence, span, isLate: isLate,
                time: options.hasTimeOfDay ? cl_realtime_nanoseconds() : nil))
    }

    private func complain() { say("Invalid message on fd \(flow).") }

    /// JSON leaves the standard output to itself.
    private func say(_ line: String) { (options.isJSON ? Output.error : Output.standard).line(line) }
}

/// What an error of the C interface means, for people.
func explain(_ what: String, _ result: Int32) { Output.error.line("\(what): \(Failure(result: Int(result))).") }

/// Why the last request for a flow of this thread failed, for people, and what to do.
func explainNoFlow(_ what: String, _ result: Int32) {
    let advice =
        switch Failure(result: Int(result)) {
        case .name: " \"irm name list\" shows those there are."
        case .ipcp: " \"irm status\" shows which names are served."
        default: ""
        }
    Output.error.line("\(what): \(String(cString: flow_last_error())).\(advice)")
}

extension qosspec_t {
    init(_ quality: QualityOfService) {
        self.init(
            delay: quality.delayMilliseconds, bandwidth: quality.bandwidth, availability: quality.availability,
            loss: quality.loss, ber: quality.bitErrorRate, in_order: quality.inOrder ? 1 : 0,
            max_gap: quality.maximumGapMilliseconds, timeout: quality.timeoutMilliseconds)
    }
}
