// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// Processes that irmd watches, and those that it started.
extension ManagerDaemon {
    func watch(_ process: ProcessID) {
        do throws(Failure) {
            let watch: ProcessHandleBox
            if let found, found.process == process {
                watch = found
            } else {
                watch = ProcessHandleBox(process, try ProcessHandle(process))
            }
            if let handle = watch.handle.descriptor {
                try loop.add(handle, token: Source.watch.token(process))
            } else {
                unseen.insert(process)
                nextLook = nextLook ?? Clock.now() + Limits.processInterval
            }
            watch.user = culprit
            watches[process] = watch
            watch.contained = ProcessFacts.containedNumber(of: process)
            if let number = watch.contained { contained[number] = process }
        } catch {
            // Of a process whose end nobody tells, its number says nothing. This one is refused, and may try again.
            if error != Failure(errno: ESRCH) {
                write(
                    .warning, "irmd",
                    "Process \(process) is refused, because it cannot be watched: \(error). \(advice(error))")
            }
            tell(.died(process))
        }
    }

    func unwatch(_ process: ProcessID) {
        guard let watch = watches.removeValue(forKey: process) else { return }
        if let number = watch.contained, contained[number] == process { contained[number] = nil }
        if let handle = watch.handle.descriptor { loop.remove(handle) } else { unseen.remove(process) }
    }

    /// Looks whether those have died whose death the kernel does not tell.
    func lookAtUnseen(_ now: Instant) {
        guard !unseen.isEmpty else { return }
        for process in unseen {
            if let watch = watches[process], watch.handle.isOver { handle(.died(process), of: watch.user) }
        }
        nextLook = unseen.isEmpty ? nil : now + Limits.processInterval
    }

    // Children.

    func spawnIPCP(_ name: IPCPName, _ type: IPCPType) {
        do throws(Children.NotSpawned) {
            adopt(try children.spawnIPCP(name, type))
        } catch {
            tell(.ipcpNotSpawned(name, error.failure, reason: Array(error.reason.utf8)))
        }
    }

    func spawnProgram(_ start: StartID, _ program: ProgramStart) {
        do throws(RefusedCall) {
            adopt(try children.spawnProgram(start, program))
        } catch {
            write(.error, "irmd", "\(printable(program.path)) cannot be started: \(error).")
            tell(.programNotSpawned(start, error.failure))
        }
    }

    /// Its program does not run yet. Nothing of it concerns the machine before it does, or has failed.
    private func adopt(_ child: Children.Child) {
        do throws(Failure) {
            if let report = child.beginning?.descriptor {
                try loop.add(report, token: Source.start.token(child.process))
            }
            if let channel = child.channel { try loop.add(channel.number, token: Source.channel.token(child.process)) }
            if let output = child.output { try add(output) }
        } catch {
            // Its deadline ends a start that cannot be seen; what cannot be heard is lost.
            write(.error, "irmd", "Process \(child.process) cannot be supervised: epoll_ctl: \(error).")
        }
    }

    /// Whether the program of a child runs, as far as can be said now.
    func settleStart(of process: ProcessID) {
        guard children.isStarting(process), let child = children[process] else { return }
        switch child.beginning?.outcome {
        case .pending?: break
        case .started?, nil: begun(child)
        case .failed(let refused)?: notBegun(child, refused)
        }
    }

    /// What takes too long is given up: its disk does not answer.
    func giveUpStarts(now: Instant) {
        for process in children.late(now: now) {
            settleStart(of: process)
            guard children.isStarting(process), let child = children[process] else { continue }
            child.signal(SIGKILL)
            notBegun(child, RefusedCall("execve", .timedOut))
        }
    }

    private func begun(_ child: Children.Child) {
        forgetStart(child)
        switch child.purpose {
        case .ipcp(let name, let type):
            handle(.ipcpSpawned(name, child.process, program: children.path(of: type)))
        case .program(let start, _): handle(.programSpawned(start, child.process))
        }
    }

    private func notBegun(_ child: Children.Child, _ cause: RefusedCall) {
        forgetStart(child)
        closeChannel(of: child.process)
        _ = children.remove(child.process)
        switch child.purpose {
        case .ipcp(let name, let type):
            let refused = children.notSpawned(type, cause)
            handle(.ipcpNotSpawned(name, refused.failure, reason: Array(refused.reason.utf8)))
        case .program(let start, _): handle(.programNotSpawned(start, cause.failure))
        }
    }

    private func forgetStart(_ child: Children.Child) {
        if let report = child.beginning?.descriptor { loop.remove(report) }
        children.started(child.process)
    }

    // Ends.

    /// All children that have ended, and processes that became ours because their parents died (as process 1 of a
    /// container, irmd gets all of them). Up to a bound, so that others get their turn.
    func reap() {
        for _ in 0..<256 {
            guard let (process, ending) = ProcessHandle.reapAny() else { return }
            ended(process, ending)
        }
        mayHaveEndedChildren = true
    }

    private func ended(_ process: ProcessID, _ ending: ProcessHandle.Ending) {
        settleStart(of: process)
        guard let child = children[process] else { return }
        // Killed before its program ran.
        if children.isStarting(process) { return notBegun(child, RefusedCall("execve", .interrupted)) }
        // What it said before it died comes first.
        readChannel(of: process)
        closeChannel(of: process)
        if let output = child.output { readOutput(output) }
        _ = children.remove(process)
        switch ending {
        case .exited(let status): handle(.childExited(process, .exited(status)))
        case .killed(let signal): handle(.childExited(process, .killed(signal: signal)))
        }
    }

    // What programs write.

    private func add(_ output: ProgramOutput) throws(Failure) {
        // The oldest, whose program may have ended long ago and left its pipe to others.
        if outputs.count >= Limits.outputs, let oldest = outputs.keys.min(), let old = outputs[oldest] {
            forget(old, oldest)
        }
        let key = nextOutput
        nextOutput += 1
        try loop.add(output.number, token: Source.output.token(key))
        outputs[key] = output
    }

    func readOutput(_ key: UInt64) {
        guard let output = outputs[key] else { return }
        if case .ended = log(output) { forget(output, key) }
    }

    /// All that a program has left that has ended, up to what a pipe holds.
    private func readOutput(_ output: ProgramOutput) {
        for _ in 0..<8 { guard case .more = log(output) else { return } }
    }

    private func log(_ output: ProgramOutput) -> ProgramOutput.Reading {
        var lines: [[UInt8]] = []
        let reading = output.read(into: &lines)
        for line in lines { write(printable(line), of: output) }
        return reading
    }

    private func forget(_ output: ProgramOutput, _ key: UInt64) {
        loop.remove(output.number)
        outputs[key] = nil
    }

    // Channels of IPCPs.

    func attendToChannel(of process: ProcessID, _ readiness: EventLoop.Readiness) {
        if readiness.isWritable, let channel = children[process]?.channel {
            do throws(Failure) {
                try channel.sendQueued(loop)
            } catch {
                return handle(.ipcpChannelEnded(process))
            }
        }
        if readiness.isReadable { readChannel(of: process) }
    }

    private func readChannel(of process: ProcessID) {
        for _ in 0..<64 {
            guard let channel = children[process]?.channel else { return }
            let arrival: MessageSocket.Arrival?
            do throws(Failure) {
                arrival = try MessageSocket.receive(on: channel.number, nonBlocking: true)
            } catch {
                if error == .wouldBlock { return }
                return handle(.ipcpChannelEnded(process))
            }
            guard let arrival else { return handle(.ipcpChannelEnded(process)) }
            guard let reply = try? IPCPReply(decoding: arrival.bytes) else {
                write(.warning, "irmd", "IPCP \(process) sent \(arrival.bytes.count) bytes that are not a message.")
                return handle(.ipcpChannelEnded(process))
            }
            handle(.ipcpReplied(process, reply))
        }
    }

    func send(_ request: IPCPRequest, to process: ProcessID) {
        guard let channel = children[process]?.channel else { return }
        if let offer = request.offer { return send(request, with: offer, to: process, on: channel) }
        do throws(Failure) {
            try channel.send(request.encoded(), loop)
        } catch {
            // It does not read, or is gone: of no more use, either way.
            write(.warning, "irmd", "IPCP \(process) cannot be reached: \(error).")
            tell(.ipcpChannelEnded(process))
        }
    }

    /// The IPCP's end of a flow. It waits behind what others have caused: a stranger whose requests are refused by the
    /// thousand keeps nobody from his flow. One that cannot be sent fails, and nothing else with it.
    private func send(_ request: IPCPRequest, with offer: FlowOffer, to process: ProcessID, on channel: Port) {
        do throws(Failure) {
            guard let descriptors = flows.descriptors(for: offer) else { throw .outOfMemory }
            try channel.send(request.encoded(), keeping: descriptors, loop)
        } catch {
            write(.warning, "irmd", "IPCP \(process) could not be sent a flow: \(error).")
            tell(.ipcpReplied(process, .refused(offer.flow, .ipcp, reason: [])))
        }
    }

    func closeChannel(of process: ProcessID) {
        guard let child = children[process], let channel = child.channel else { return }
        loop.remove(channel.number)
        child.channel = nil
    }
}
