// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// The IPC processes that irmd starts: their birth and their end.
extension ResourceManager {
    mutating func createIPCP(_ name: IPCPName, _ type: IPCPType, for requester: Requester) {
        guard !isStopping else { return fail(requester, .manager, "irmd is stopping") }
        let owner = user(of: requester)
        switch children.beginSpawning(name, type, owner: owner, for: requester, isExempt: isExempt(owner)) {
        case .admitted: outgoing.append(.spawnIPCP(name, type))
        case .exists: fail(requester, .exists, "there is an IPCP \(name) already")
        case .tooMany: fail(requester, .tableFull, "there are too many IPCPs")
        case .tooManyOfOwner: fail(requester, .tableFull, "uid \(owner) has as many IPCPs as one user may have")
        }
    }

    mutating func ipcpNotSpawned(_ name: IPCPName, _ failure: Failure, _ reason: [UInt8]) {
        guard let requester = children.notSpawned(name)?.requester else { return }
        report(.supervision(.ipcpNotSpawned(name, reason: reason)))
        send(.failed(requester.request, failure, reason: reason), on: requester.connection)
    }

    mutating func ipcpSpawned(_ name: IPCPName, _ process: ProcessID, _ program: [UInt8]) {
        let deadline = now + Limits.bootTimeout
        guard children.spawned(name, as: process, until: deadline) else { return }
        report(.supervision(.instantiated(program, process)))
        setTimer(of: process, timers.set(.booting(process), at: deadline))
        if isStopping { end(process, for: nil) }
    }

    /// In place of the one that it had.
    mutating func setTimer(of process: ProcessID, _ timer: ManagerTimer?) {
        if let old = children.exchange(timer, of: process) { timers.cancel(old) }
    }

    mutating func bootExpired(_ process: ProcessID) {
        guard case .booting = children[process]?.state else { return }
        bootFailed(process, "it sent no message for \(Limits.bootTimeout.nanoseconds / 1_000_000_000) s")
    }

    mutating func bootFailed(_ process: ProcessID, _ reason: String) {
        guard case .booting(let requester, _) = children[process]?.state else { return }
        report(.supervision(.ipcpBootFailed(process)))
        fail(requester, .ipcp, "IPCP \(process) failed to boot: \(reason)")
        children.set(.ending([]), of: process)
        outgoing.append(.signal(process, .kill))
    }

    /// It cannot be used without its channel, whatever happened to that.
    mutating func ipcpChannelEnded(_ process: ProcessID) {
        guard let ipcp = children[process] else { return }
        outgoing.append(.closeChannel(process))
        // Its end is reported with its exit status, when that comes.
        if !ipcp.isEnding { outgoing.append(.signal(process, .kill)) }
    }

    mutating func destroyIPCP(_ process: ProcessID, for requester: Requester) {
        guard children[process] != nil else {
            report(.supervision(.ipcpUnknown(process)))
            return fail(requester, .ipcp, "there is no IPCP \(process)")
        }
        end(process, for: requester)
    }

    /// Asks an IPCP to end, and sees to it that it does.
    mutating func end(_ process: ProcessID, for requester: Requester?) {
        guard let ipcp = children[process] else { return }
        if case .ending(let requesters) = ipcp.state {
            return children.set(.ending(requesters + (requester.map { [$0] } ?? [])), of: process)
        }
        if case .booting(let creator, _) = ipcp.state { fail(creator, .ipcp, "IPCP \(process) was destroyed") }
        children.set(.ending(requester.map { [$0] } ?? []), of: process)
        outgoing.append(.signal(process, .terminate))
        setTimer(of: process, timers.set(.ending(process), at: now + Limits.shutdownPatience))
    }

    mutating func endingExpired(_ process: ProcessID) {
        if children[process] != nil { outgoing.append(.signal(process, .kill)) }
    }

    mutating func childExited(_ process: ProcessID, _ status: ExitStatus) {
        if let program = children.programs.remove(process) { programEnded(process, program, status) }
        if let ipcp = children.remove(process) { ipcpEnded(ipcp, status) }
        finishStopping()
    }

    private mutating func ipcpEnded(_ ipcp: IPCPRecord, _ status: ExitStatus) {
        if let timer = ipcp.timer { timers.cancel(timer) }
        outgoing.append(.closeChannel(ipcp.process))
        switch ipcp.state {
        case .booting(let requester, _):
            report(.supervision(.ipcpBootFailed(ipcp.process)))
            fail(requester, .ipcp, "IPCP \(ipcp.process) failed to boot: \(status)")
        case .initialised, .bootstrapping, .operational:
            report(.supervision(.ipcpDied(ipcp.process, ipcp.name, status)))
        case .ending(let requesters):
            report(.supervision(.ipcpRemoved(ipcp.process)))
            for requester in requesters { succeed(requester) }
        }
        for request in ipcp.unanswered.sorted() {
            guard let transaction = endTransaction(request, of: ipcp.process) else { continue }
            failed(transaction, .ipcp, Array("IPCP \(ipcp.process) ended: \(status)".utf8))
        }
        naming.removeRegistrations(with: ipcp.process)
        // An irmd that stops leaves the flows to their processes, which can go on without it.
        guard !isStopping else { return }
        bringDown(ipcp.flows)
    }
}
