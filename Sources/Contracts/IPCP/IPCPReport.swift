// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// What an IPCP does that is worth a line of its log. The text is made only if the line is written. spec: irmd §3
package enum IPCPReport<Lower: LowerSide>: LogLine {
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
    case lower(Lower.Report)

    package var level: LogLevel {
        switch self {
        case .bootstrapping, .bootstrapped, .layerType, .layerHash, .registering, .registered, .unregistered: .info
        case .allocatingFlow, .flowAllocated, .flowEnded: .debug
        case .flowEstablished, .flowRefused, .flowReleased: .debug
        // Whoever asked is told.
        case .bootstrapFailed, .refused: .warning
        case .lower(let report): report.level
        }
    }

    package var component: String {
        switch self {
        case .bootstrapping, .bootstrapped, .layerType, .layerHash, .bootstrapFailed: "ipcpd/ipcp"
        case .registering, .registered, .unregistered, .refused: "ipcpd/ipcp"
        case .allocatingFlow(_, _, let type), .flowAllocated(_, _, let type), .flowEnded(_, _, let type): type.daemon
        case .flowEstablished(_, let type), .flowRefused(_, _, let type), .flowReleased(_, let type): type.daemon
        case .lower(let report): report.component
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
        case .lower(let report): report.text
        }
    }
}
