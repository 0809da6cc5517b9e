// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import IPCP
import LocalProtocol
import Platform
import Vocabulary

/// The daemon around an IPCP's machine: its channel to irmd, its log, its end. It ends when irmd says so (SIGTERM) and
/// when the channel ends, because an IPCP without irmd serves nobody.
package struct IPCPDaemon<Machine: IPCPMachine>: ~Copyable {
    /// The channel that irmd gives its child.
    private static var channel: Int32 { 3 }

    private let log: Log
    private var machine = Machine(seed: Entropy.word())
    private var loop: EventLoop
    private let signals: SignalSource
    private var actions: [IPCPAction] = []
    private var hasEnded = false

    /// Runs until the end; returns the exit status.
    package static func run() -> Int32 {
        guard let options = IPCPOptions(CommandLine.arguments), isSocket(channel) else {
            let text =
                "\(Machine.type.daemon) is started by irmd: irm ipcp create name NAME type \(Machine.type.name)\n"
            _ = Array(text.utf8).withUnsafeBytes { cl_write_all(STDERR_FILENO, $0.baseAddress, $0.count) }
            return 1
        }
        let log = Log(options.toStandardOutput ? .standardOutput : .system, level: options.level)
        do throws(Failure) {
            var daemon = try IPCPDaemon(log)
            try daemon.serve()
            return 0
        } catch {
            log.write(.error, "ipcpd/ipcp", "IPCP \(getpid()) failed: \(error).")
            return 1
        }
    }

    private init(_ log: Log) throws(Failure) {
        SignalSource.ignoreBrokenPipes()
        let signals = try SignalSource(SignalSource.ending)
        let loop = try EventLoop()
        try loop.add(Self.channel, token: 0)
        try loop.add(signals.descriptor.number, token: 1)
        self.log = log
        self.signals = signals
        self.loop = loop
    }

    private mutating func serve() throws(Failure) {
        log.write(.info, "ipcpd/ipcp", "IPCP \(Machine.type.name) \(getpid()) initialized.")
        try send(.initialised(.current, Machine.type))
        var ready: [EventLoop.Readiness] = []
        while !hasEnded {
            loop.wait(until: machine.deadline, into: &ready)
            for readiness in ready {
                if readiness.token == 0 {
                    try receive()
                } else if signals.next() != nil {
                    hasEnded = true
                }
            }
            ready.removeAll(keepingCapacity: true)
            if let deadline = machine.deadline, deadline <= Clock.now() { try handle(.timeout) }
        }
        log.write(.info, "ipcpd/ipcp", "IPCP \(getpid()) shutting down.")
        log.write(.info, "ipcpd/ipcp", "IPCP \(getpid()) out.")
    }

    /// What has arrived, up to a bound, so that signals and timers get their turn.
    private mutating func receive() throws(Failure) {
        for _ in 0..<64 {
            let arrival: MessageSocket.Arrival?
            do throws(Failure) {
                arrival = try MessageSocket.receive(on: Self.channel, nonBlocking: true)
            } catch {
                if error == .wouldBlock { return }
                throw error
            }
            guard let arrival else {
                hasEnded = true
                return
            }
            if let request = try? IPCPRequest(decoding: arrival.bytes) {
                try handle(.request(request))
            } else {
                log.write(.warning, "ipcpd/ipcp", "irmd sent \(arrival.bytes.count) bytes that are no message.")
            }
        }
    }

    private mutating func handle(_ event: IPCPEvent) throws(Failure) {
        machine.handle(event, now: Clock.now(), into: &actions)
        for action in actions {
            switch action {
            case .report(let report): log.write(report.level, report.component, report.text)
            case .reply(let reply): try send(reply)
            // A machine without a network does not want these.
            case .open, .followHosts, .send, .resolve, .publish, .release: break
            }
        }
        actions.removeAll(keepingCapacity: true)
    }

    /// Waits for room: irmd reads what its children send.
    private func send(_ reply: IPCPReply) throws(Failure) {
        try MessageSocket.send(reply.encoded(), on: Self.channel)
    }

    private static func isSocket(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK)
    }
}
