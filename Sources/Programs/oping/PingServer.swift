// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CFlowControl
import CLinux
import COuroboros
import Ping
import Platform
import ToolSupport
import Vocabulary

/// Answers the packets of all flows that come. One thread accepts, the main thread answers.
struct PingServer {
    private static let silence = TimeSpan(seconds: 10)

    private let options: PingOptions
    private let set: OpaquePointer
    private let events: OpaquePointer
    /// The accepting thread writes here, as numbers, the flows that it has accepted; this thread reads them.
    private let arrivals: Int32
    private var lastHeard: [Int32: Instant] = [:]
    private var lastLook = Clock.now()
    private var buffer = [UInt8](repeating: 0, count: EchoPacket.sizes.upperBound)

    static func run(_ options: PingOptions) -> Int32 {
        Output.standard.line("Ouroboros ping server started." + (options.waiting == .asleep ? "" : " [busy-poll]"))
        if options.waiting == .busy { return BusyServer.run(options) }
        var ends: [Int32] = [-1, -1]
        guard let set = fset_create(), let events = fqueue_create(), cl_pipe(&ends) == 0 else {
            Output.error.line("oping: out of memory or descriptors.")
            return 1
        }
        do throws(Failure) {
            try Acceptor.start(adding: set, announcing: ends[1])
        } catch {
            Output.error.line("oping: cannot start a thread: \(error).")
            return 1
        }
        var server = PingServer(options, set: set, events: events, arrivals: ends[0])
        while cl_stop_signal() == 0 { server.turn() }
        return 0
    }

    private init(_ options: PingOptions, set: OpaquePointer, events: OpaquePointer, arrivals: Int32) {
        self.options = options
        self.set = set
        self.events = events
        self.arrivals = arrivals
    }

    /// Waits for events, for a moment at most, and handles them.
    private mutating func turn() {
        var moment = timespec(tv_sec: 0, tv_nsec: options.waiting == .polling ? 0 : 250_000_000)
        let result = fevent(set, events, &moment)
        let now = Clock.now()
        welcome(now)
        if result == 1 {
            while true {
                let flow = fqueue_next(events)
                // No more; or one that was closed meanwhile: then the next fevent gives the rest.
                guard flow >= 0 else { break }
                handle(fqueue_type(events), of: flow, now)
            }
        } else if result != -Int(ETIMEDOUT), result != -Int(EINTR) {
            // Not to be expected; but if so, then without burning the processor.
            cl_sleep_nanoseconds(100_000_000)
        }
        expire(now)
    }

    private mutating func welcome(_ now: Instant) {
        var flow: Int32 = -1
        while read(arrivals, &flow, 4) == 4 { lastHeard[flow] = now }
    }

    private mutating func handle(_ event: fqtype, of flow: Int32, _ now: Instant) {
        switch event {
        case FLOW_PKT: answer(flow, now)
        case FLOW_DOWN, FLOW_DEALLOC, FLOW_PEER: end(flow, "Flow \(flow) closed.")
        default: break  // nothing to do when a flow comes up
        }
    }

    private mutating func answer(_ flow: Int32, _ now: Instant) {
        let count = flow_read(flow, &buffer, buffer.count)
        switch count {
        case -Int(EAGAIN), -Int(ETIMEDOUT), -Int(EINTR): return
        case -Int(EMSGSIZE): return Output.standard.line("Invalid message on fd \(flow).")
        case ..<0: return end(flow, "Flow \(flow) closed.")
        default: break
        }
        lastHeard[flow] = now
        EchoReply.send(&buffer, count, on: flow, options)
    }

    /// Once a second is often enough for a limit of ten.
    private mutating func expire(_ now: Instant) {
        guard now.since(lastLook) >= TimeSpan(seconds: 1) else { return }
        lastLook = now
        for (flow, heard) in lastHeard where now.since(heard) >= PingServer.silence {
            end(flow, "Flow \(flow) timed out.")
        }
    }

    private mutating func end(_ flow: Int32, _ line: String) {
        guard lastHeard.removeValue(forKey: flow) != nil else { return }
        Output.standard.line(line)
        fset_del(set, flow)
        _ = flow_dealloc(flow)  // of no more use, whatever this says
    }
}

/// What the server sends back.
enum EchoReply {
    static func send(_ buffer: inout [UInt8], _ count: Int, on flow: Int32, _ options: PingOptions) {
        guard EchoPacket.turn(&buffer, count: count) else {
            return Output.standard.line("Invalid message on fd \(flow).")
        }
        if !options.isQuiet { Output.standard.line("Received \(count) bytes on fd \(flow).") }
        let result = flow_write(flow, buffer, count)
        // A client that reads nothing gets nothing: a ping may be lost, but never keep others waiting.
        guard result < 0, result != -Int(EAGAIN) else { return }
        Output.standard.line("Error writing to flow (fd \(flow)).")
    }
}
