// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import IPCP
import LocalProtocol
import Platform
import Vocabulary

/// The daemon around the machine of a layer without a network: its channel to irmd, its log, its end. It ends when irmd
/// says so (SIGTERM) and when the channel ends, because an IPCP without irmd serves nobody.
package struct IPCPDaemon<Machine: IPCPMachine<NoLowerSide>>: ~Copyable {
    private let log: Log
    private var machine: Machine
    private var loop: EventLoop
    private let signals: SignalSource
    private let channel = ManagerChannel()
    private var actions: [IPCPAction<NoLowerSide>] = []
    private var hasEnded = false

    /// Runs until the end; returns the exit status.
    package static func run() -> Int32 {
        IPCPProgram.run(Machine.type) { log throws(RefusedCall) in
            var daemon = try IPCPDaemon(log)
            try RefusedCall.named("serving") { () throws(Failure) in try daemon.serve() }
        }
    }

    private init(_ log: Log) throws(RefusedCall) {
        let signals = try IPCPProgram.signals()
        let loop = try EventLoop()
        try RefusedCall.named("epoll_ctl") { () throws(Failure) in
            try loop.add(ManagerChannel.descriptor, token: 0)
            try loop.add(signals.descriptor.number, token: 1)
        }
        machine = Machine(seed: try Entropy.word())
        self.log = log
        self.signals = signals
        self.loop = loop
    }

    private mutating func serve() throws(Failure) {
        try channel.send(.initialised(.current, Machine.type))
        var ready: [EventLoop.Readiness] = []
        while !hasEnded {
            loop.wait(until: machine.deadline, into: &ready)
            for readiness in ready {
                if readiness.token == 0 {
                    if readiness.isReadable { try receive() }
                } else if signals.next() != nil {
                    hasEnded = true
                }
            }
            ready.removeAll(keepingCapacity: true)
            if let deadline = machine.deadline, deadline <= Clock.now() { try handle(.timeout) }
            try channel.settle(loop, token: 0)
        }
    }

    private mutating func receive() throws(Failure) {
        let isOpen = try channel.receive(log) { request, _ throws(Failure) in try handle(.request(request)) }
        if !isOpen { hasEnded = true }
    }

    private mutating func handle(_ event: IPCPEvent<NoLowerSide>) throws(Failure) {
        machine.handle(event, now: Clock.now(), into: &actions)
        for action in actions {
            switch action {
            case .report(let report): log.write(report.level, report.component, report.text)
            case .reply(let reply): try channel.send(reply)
            // A machine that carries no packets has no ports.
            case .release, .discard: break
            }
        }
        actions.removeAll(keepingCapacity: true)
    }
}
