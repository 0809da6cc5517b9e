// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What an IPCP does that is worth a line of its log. The text is made only if the line is written. spec: irmd §3
package enum IPCPReport: Hashable, Sendable {
    case bootstrapping
    case bootstrapped(LayerConfiguration)
    case layerType(IPCPType)
    case layerHash(DirectoryHash)
    case bootstrapFailed(Failure)
    case registering(hash: [UInt8])
    case registered(hash: [UInt8])
    case unregistered(hash: [UInt8])
    case refused(String)
    case allocatingFlow(hash: [UInt8], FlowDescriptor, IPCPType)
    case flowAllocated(FlowDescriptor, FlowDescriptor, IPCPType)
    case flowEnded(FlowDescriptor, FlowDescriptor?, IPCPType)
    /// To another host, by the end that the IPCP has.
    case flowEstablished(FlowDescriptor, IPCPType)
    case flowRefused(FlowDescriptor, Failure, IPCPType)
    case flowReleased(FlowDescriptor, IPCPType)
    /// Mistakes: all, also those that are not reported.
    case hostsRead(names: Int, mistakes: Int)
    case hostsMistake(path: [UInt8], HostsFile.Mistake)
    case hostsUnreadable(path: [UInt8], FileObstacle)
    /// It has changed so often that the log was not told each time.
    case hostsNotReported(times: Int)
    case resolved(hash: [UInt8], DatagramAddress)
    /// `others`: names before it of which nobody was told.
    case notResolved(hash: [UInt8], Inquiry.Source, Failure, others: Int)

    package var level: LogLevel {
        switch self {
        case .bootstrapping, .bootstrapped, .layerType, .layerHash, .registering, .registered, .unregistered,
            .hostsRead, .hostsNotReported:
            .info
        case .allocatingFlow, .flowAllocated, .flowEnded, .resolved: .debug
        case .flowEstablished, .flowRefused, .flowReleased: .debug
        // The layer works without what they say, and somebody has to correct it.
        case .hostsMistake, .hostsUnreadable, .notResolved: .warning
        // Whoever asked is told.
        case .bootstrapFailed, .refused: .warning
        }
    }

    package var component: String {
        switch self {
        case .bootstrapping, .bootstrapped, .layerType, .layerHash, .bootstrapFailed: "ipcpd/ipcp"
        case .registering, .registered, .unregistered, .refused: "ipcpd/ipcp"
        case .allocatingFlow(_, _, let type), .flowAllocated(_, _, let type), .flowEnded(_, _, let type): type.daemon
        case .flowEstablished(_, let type), .flowRefused(_, _, let type), .flowReleased(_, let type): type.daemon
        case .hostsRead, .hostsMistake, .hostsUnreadable, .hostsNotReported: "ipcpd/directory"
        case .resolved, .notResolved: "ipcpd/directory"
        }
    }

    package var text: String {
        switch self {
        case .bootstrapping: "Bootstrapping..."
        case .bootstrapped(let configuration): "Finished bootstrapping in \(configuration.layer)."
        case .layerType(let type): "  type: \(type.name)"
        case .layerHash(let hash): "  hash: \(hash.name) [\(hash.bytes) bytes]"
        case .bootstrapFailed(let failure): "Failed to bootstrap: \(failure)."
        case .registering(let hash): "Registering \(hexadecimal(hash.prefix(4)))..."
        case .registered(let hash): "Finished registering \(hexadecimal(hash.prefix(4)))."
        case .unregistered(let hash): "Unregistered \(hexadecimal(hash.prefix(4)))."
        case .refused(let reason): "Request refused: \(reason)."
        case .allocatingFlow(let hash, let descriptor, _):
            "Allocating flow to \(hexadecimal(hash.prefix(4))) on fd \(descriptor)."
        case .flowAllocated(let first, let second, _): "Flow allocation completed, fds (\(first), \(second))."
        case .flowEnded(let first, let second, _):
            second.map { "Flow ended, fds (\(first), \($0))." } ?? "Flow not allocated, fd \(first)."
        case .flowEstablished(let descriptor, _): "Flow on fd \(descriptor) is established."
        case .flowRefused(let descriptor, let failure, _): "No flow on fd \(descriptor): \(failure)."
        case .flowReleased(let descriptor, _): "Flow on fd \(descriptor) is released."
        case .hostsRead(let names, let mistakes):
            "Read the hosts file: \(names) \(names == 1 ? "name" : "names")"
                + (mistakes == 0 ? "." : ", \(mistakes) \(mistakes == 1 ? "mistake" : "mistakes").")
        case .hostsMistake(let path, let mistake): "Hosts file \(printable(path)), \(mistake)."
        case .hostsUnreadable(let path, let obstacle):
            "Cannot read hosts file \(printable(path)): \(obstacle). What was read before is still used."
        case .hostsNotReported(let times):
            "The hosts file has changed \(times) \(times == 1 ? "time" : "times") of which nothing was said."
        case .resolved(let hash, let address): "\(hexadecimal(hash.prefix(4))) is at \(address)."
        case .notResolved(let hash, let source, let failure, let others):
            "\(source) could not be asked for \(hexadecimal(hash.prefix(4))): \(failure)"
                + (others == 0 ? "." : "; nor for \(others) others before.")
        }
    }
}
