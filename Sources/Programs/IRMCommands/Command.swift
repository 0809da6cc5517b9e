// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// What a command line asks for, understood but not yet done.
package enum Command: Hashable, Sendable {
    case help(Usage)
    case version
    case createIPCP(IPCPName, IPCPType)
    case destroyIPCP(IPCPName)
    case bootstrap(Bootstrap)
    case enroll(Enroll)
    case connect(Connection, QualityOfService)
    case disconnect(Connection)
    case listIPCPs(IPCPFilter, ListStyle)
    case createName(NameSettings)
    case destroyName(ServiceName)
    case register(Registration)
    case unregister(Registration)
    case setName(ServiceName, balancing: LoadBalancing?, wait: TimeSpan?)
    case listNames(name: Word?, ListStyle)
    case listBindings(name: Word?, json: Bool)
    case bindProgram(ProgramBinding)
    case bindProcess(ProcessID, ServiceName)
    case bindIPCP(IPCPName, ServiceName)
    case unbindProgram(Word, ServiceName?)
    case unbindProcess(ProcessID, ServiceName?)
    case unbindIPCP(IPCPName, ServiceName?)
    case listFlows(name: Word?, ListStyle)
    case showFlow(FlowID, json: Bool)
    case destroyFlow(FlowID)
    case status(json: Bool)
}

/// How a list is shown.
package enum ListStyle: Hashable, Sendable {
    /// As the prototype does, where that has the list.
    case short
    /// With everything that people may want to know.
    case long
    /// With everything, for programs.
    case json
}

/// A command and what the user should know although it is no reason to stop.
package struct Parsed: Hashable, Sendable {
    package let command: Command
    package let warnings: [String]
}

/// A command line that is no command.
package struct UsageError: Error, Hashable, Sendable {
    /// Why, for the error output; empty if the usage text says it all.
    package let message: String
    /// Shown with it, on the standard output.
    package let usage: Usage?
    package let exitStatus: Int32

    package init(_ message: String, _ usage: Usage? = nil, exitStatus: Int32 = 1) {
        self.message = message
        self.usage = usage
        self.exitStatus = exitStatus
    }
}

package struct Bootstrap: Hashable, Sendable {
    /// One IPCP; or, without `type`, a pattern for those that exist.
    package var ipcp: Word
    /// Nil = the IPCPs exist, each with its own type.
    package var type: IPCPType?
    package var layer: LayerName
    package var options: LayerOptions
    package var autobind: Bool
}

package struct Enroll: Hashable, Sendable {
    package var ipcp: IPCPName
    package var type: IPCPType
    /// What the IPCP shall be a member of afterwards; nil = whatever the destination is.
    package var layer: LayerName?
    package var destination: ServiceName
    package var autobind: Bool
}

package struct Connection: Hashable, Sendable {
    package var ipcp: IPCPName
    package var destination: ServiceName
    /// A pattern for the components' short names.
    package var component: Word

    /// The components of an IPCP, in the order in which connections are made.
    package enum Component: String, Sendable, CaseIterable {
        case management = "mgmt"
        case dataTransfer = "dt"

        /// As `ouroboros/ipcp.h` has it.
        package var fullName: String { self == .management ? "Management" : "Data Transfer" }
    }

    package var components: [Component] {
        Component.allCases.filter { component.matches(Array($0.rawValue.utf8)) }
    }
}

package struct IPCPFilter: Hashable, Sendable {
    package var name: Word?
    package var layer: Word?
    package var type: IPCPType?

    package func admits(_ entry: IPCPEntry) -> Bool {
        if let type, entry.type != type { return false }
        if let name, !name.matches(entry.name.bytes) { return false }
        if let layer, !(entry.layer.map { layer.matches($0.bytes) } ?? false) { return false }
        return true
    }
}

/// A name, and patterns for the IPCPs and the layers.
package struct Registration: Hashable, Sendable {
    package enum Target: Hashable, Sendable, CustomStringConvertible {
        case ipcp(Word)
        case layer(Word)

        package func admits(_ entry: IPCPEntry) -> Bool {
            switch self {
            case .ipcp(let pattern): pattern.matches(entry.name.bytes)
            case .layer(let pattern): entry.layer.map { pattern.matches($0.bytes) } ?? false
            }
        }

        package var description: String {
            switch self {
            case .ipcp(let pattern): "IPCP \(pattern)"
            case .layer(let pattern): "layer \(pattern)"
            }
        }
    }

    package var name: ServiceName
    package var targets: [Target]
}

package struct ProgramBinding: Hashable, Sendable {
    package var program: Word
    package var name: ServiceName
    package var autoStart: Bool
    package var arguments: [[UInt8]]
}
