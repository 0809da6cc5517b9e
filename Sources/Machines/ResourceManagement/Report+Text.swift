// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// The lines of irmd's log: level, component and text of every report. spec: irmd §3
extension Report {
    package var level: LogLevel {
        switch self {
        case .stopping, .stopped, .process, .naming(.created), .naming(.destroyed): .info
        case .naming(.programBound), .naming(.programUnbound), .naming(.processBound), .naming(.processUnbound): .info
        case .naming(.registered), .naming(.unregistered), .naming(.changed): .info
        // Whoever asked is told: nobody else must act.
        case .naming(.unknown), .refused: .info
        case .supervision(let report): report.level
        // Thousands a second: at the usual level the log must not be what limits them.
        case .flow(.allocating), .flow(.requestArrived), .flow(.allocated), .flow(.partlyDeallocated): .debug
        case .flow(.deallocated), .naming(.exists): .debug
        case .flow(.failed), .flow(.timedOut), .flow(.destroyed), .flow(.arrivalFailed): .info
        case .flow(.waitsForServer): .debug
        case .flow(.arrivalRejected): .debug
        case .flow(.acceptorRefused), .flow(.requestNotAuthentic), .peer: .warning
        }
    }

    package var component: String {
        if case .naming(.unknown) = self { "reg" } else { "irmd" }
    }

    package var text: String {
        switch self {
        case .stopping: "IRMd shutting down..."
        case .stopped: "Ouroboros IPC Resource Manager daemon exited. Bye."
        case .process(let report): report.text
        case .naming(let report): report.text
        case .refused(let reason): "Request refused: \(printable(sentence: reason.utf8))"
        case .supervision(let report): report.text
        case .flow(let report): report.text
        case .peer(let report): report.text
        }
    }
}

extension ProcessReport {
    fileprivate var text: String {
        switch self {
        case .added(let process, let program): "New instance (\(process)) of \(printable(fileName(program))) added."
        case .acceptsFlows: "This process accepts flows for:"
        case .acceptsFlowsFor(let name): "  \(name)"
        case .acceptsFurther(let count): "  and \(count) more"
        case .removed(let process): "Dead process removed: \(process)."
        case .replaced(let process): "Process \(process) attached again, its earlier flows are gone."
        }
    }
}

extension NamingReport {
    fileprivate var text: String {
        switch self {
        case .created(let name): "Created new name: \(name)."
        case .exists(let name): "Name \(name) already exists."
        case .destroyed(let name): "Destroyed name: \(name)."
        case .unknown(let name): "Name \(name) does not exist."
        case .programBound(let program, let name): "Bound program \(printable(program)) to name \(name)."
        case .programUnbound(let program, let name): "Name \(name) unbound for \(printable(program))."
        case .processBound(let process, let name): "Bound process \(process) to name \(name)."
        case .processUnbound(let process, let name): "Name \(name) unbound for process \(process)."
        case .registered(let name, let ipcp, let hash):
            "Registered \(name) with IPCP \(ipcp) as \(hexadecimal(hash.prefix(4)))."
        case .unregistered(let name, let ipcp): "Unregistered \(name) from \(ipcp)."
        case .changed(let name): "Changed the settings of name \(name)."
        }
    }
}

extension SupervisionReport {
    fileprivate var level: LogLevel {
        switch self {
        case .ipcpBootFailed, .ipcpVersionDiffers, .ipcpSilent, .ipcpDied: .error
        // Whoever asked is told, as of a type that is not installed, a file that is not there, an address in use.
        case .startFailed, .ipcpNotSpawned, .ipcpRefused: .warning
        case .ipcpUnknown: .info
        case .instantiated, .starting, .programEnded, .ipcpCreated, .ipcpBootstrapped, .ipcpEnrolled: .info
        case .ipcpConnected, .ipcpDisconnected, .ipcpRemoved: .info
        }
    }

    fileprivate var text: String {
        switch self {
        case .instantiated(let program, let process): "Instantiated \(printable(program)) as process \(process)."
        case .starting(let program, let name): "Starting \(printable(program)) for \(name)."
        case .startFailed(let program, let name, let trouble):
            "No server for \(name): \(trouble.sentence(of: program))."
        case .programEnded(let process, let program, let status):
            "Program \(printable(program)) (\(process)) ended: \(status)."
        case .ipcpCreated(let process): "Created IPCP \(process)."
        case .ipcpNotSpawned(let name, let reason): "Failed to spawn IPCP \(name): \(printable(sentence: reason))."
        case .ipcpBootFailed(let process): "IPCP \(process) failed to boot."
        case .ipcpVersionDiffers(let process, let version):
            "IPCP \(process) speaks version \(version) of the local protocol, irmd \(ProtocolVersion.current)."
        case .ipcpBootstrapped(let process): "Bootstrapped IPCP \(process)."
        case .ipcpEnrolled(let process, let destination): "Enrolled IPCP \(process) with \(destination)."
        case .ipcpConnected(let process, let destination, let component):
            "Established \(printable(component)) connection between IPCP \(process) and \(destination)."
        case .ipcpDisconnected(let process, let destination, let component):
            "\(printable(component)) connection between IPCP \(process) and \(destination) torn down."
        case .ipcpRefused(let process, let failure, let reason):
            "IPCP \(process) refused: \(failure): \(printable(sentence: reason))."
        case .ipcpSilent(let process): "IPCP \(process) does not answer."
        case .ipcpUnknown(let process): "Could not find IPCP \(process)."
        case .ipcpDied(let process, let name, let status): "IPCP \(process) (\(name)) died: \(status)."
        case .ipcpRemoved(let process): "Process removed: \(process)."
        }
    }
}

extension FlowReport {
    fileprivate var text: String {
        switch self {
        case .allocating(let process, let name): "Allocating flow for \(process) to \(name)."
        case .requestArrived(let name): "Flow request arrived for \(name)."
        case .allocated(let flow): "Flow on flow_id \(flow) allocated."
        case .failed(let process, let name, let reason):
            "Flow allocation for \(process) to \(name) failed: \(reason)."
        case .timedOut(let process, let name): "Flow allocation timed out: \(process) to \(name)."
        case .waitsForServer(let process, let name): "Process \(process) waits until somebody serves \(name)."
        case .destroyed(let flow, let user): "Flow \(flow) is destroyed by user \(user)."
        case .acceptorRefused(let process, let name, let failure):
            "Process \(process) could not take a flow for \(name): \(failure)."
        case .arrivalRejected(let ipcp, let failure, let host):
            "Flow request of \(printable(host)) at IPCP \(ipcp) rejected: \(failure)."
        case .requestNotAuthentic(let name, let trouble, let host):
            "Flow request of \(printable(host)) for \(name) rejected: \(trouble.text)."
        case .arrivalFailed(let name, let host, let reason):
            "Flow request of \(printable(host)) for \(name) failed: \(reason)."
        case .partlyDeallocated(let flow, let process):
            "Partial deallocation of flow_id \(flow) by process \(process)."
        case .deallocated(let flow, let process):
            "Completed deallocation of flow_id \(flow) by process \(process)."
        }
    }
}

extension PeerReport {
    fileprivate var text: String {
        switch self {
        case .versionRefused(let process, let version):
            "Process \(process) speaks version \(version) of the local protocol, irmd \(ProtocolVersion.current)."
        case .unexpectedMessage(let process): "Process \(process) sent a message out of turn, connection dropped."
        case .notPermitted(let process, let user):
            "Process \(process) (uid \(user)) is not allowed to manage this system."
        case .tooManyConnections(let user): "User \(user) has too many connections, one is refused."
        }
    }
}
