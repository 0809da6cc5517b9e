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
            try loop.add(watch.handle.descriptor.number, token: Source.watch.token(process))
            watches[process] = watch
            watch.place = ProcessFacts.place(of: process)
            if let place = watch.place { contained[place] = process }
        } catch {
            // Of a process whose end nobody tells, its number says nothing. This one is refused, and may try again.
            if error != Failure(errno: ESRCH) {
                write(.warning, "irmd", "Process \(process) is refused, because it cannot be watched: \(error).")
            }
            outcomes.append(.died(process))
        }
    }

    func unwatch(_ process: ProcessID) {
        guard let watch = watches.removeValue(forKey: process) else { return }
        if let place = watch.place, contained[place] == process { contained[place] = nil }
        loop.remove(watch.handle.descriptor.number)
    }

    // Children.

    func spawnIPCP(_ name: IPCPName, _ type: IPCPType) {
        do throws(Children.NotSpawned) {
            let process = try children.spawnIPCP(name, type)
            adopt(process)
            outcomes.append(.ipcpSpawned(name, process, program: Array(children.path(of: type).utf8)))
        } catch {
            outcomes.append(.ipcpNotSpawned(name, error.failure, reason: Array(error.reason.utf8)))
        }
    }

    func spawnProgram(_ start: StartID, _ program: ProgramStart) {
        do throws(Failure) {
            let process = try children.spawnProgram(program)
            adopt(process)
            outcomes.append(.programSpawned(start, process))
        } catch {
            outcomes.append(.programNotSpawned(start, error))
        }
    }

    private func adopt(_ process: ProcessID) {
        guard let child = children[process] else { return }
        do throws(Failure) {
            try loop.add(child.handle.descriptor.number, token: Source.child.token(process))
            if let channel = child.channel { try loop.add(channel.number, token: Source.channel.token(process)) }
        } catch {
            // A child whose end we cannot see must not be left running.
            write(.error, "irmd", "Process \(process) cannot be supervised: \(error).")
            child.handle.signal(SIGKILL)
        }
    }

    func reap(_ process: ProcessID) {
        guard children[process] != nil, let ending = ProcessHandle.reap(process) else { return }
        // What it said before it died comes first.
        readChannel(of: process)
        closeChannel(of: process)
        if let child = children.remove(process) { loop.remove(child.handle.descriptor.number) }
        switch ending {
        case .exited(let status): handle(.childExited(process, .exited(status)))
        case .killed(let signal): handle(.childExited(process, .killed(signal: signal)))
        }
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
                write(.warning, "irmd", "IPCP \(process) sent \(arrival.bytes.count) bytes that are no message.")
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
            outcomes.append(.ipcpChannelEnded(process))
        }
    }

    /// The IPCP's end of a flow. One that is not read in time fails, and nothing else with it.
    private func send(_ request: IPCPRequest, with offer: FlowOffer, to process: ProcessID, on channel: Port) {
        do throws(Failure) {
            guard let descriptors = flows.descriptors(for: offer) else { throw .outOfMemory }
            try channel.send(request.encoded(), with: descriptors)
        } catch {
            write(.warning, "irmd", "IPCP \(process) could not be sent a flow: \(error).")
            outcomes.append(.ipcpReplied(process, .refused(offer.flow, .ipcp, reason: [])))
        }
    }

    func closeChannel(of process: ProcessID) {
        guard let child = children[process], let channel = child.channel else { return }
        loop.remove(channel.number)
        child.channel = nil
    }
}
