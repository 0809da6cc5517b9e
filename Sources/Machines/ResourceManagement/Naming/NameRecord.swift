// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import OrderedCollections
import Vocabulary

/// A name, and all that is bound to it. Only `Naming` changes it.
struct NameRecord: Sendable {
    var settings: NameSettings
    /// The user who created the name, or bound something to it first.
    let owner: UserID
    /// Ascends in the order of creation.
    let creation: UInt64
    /// Attached processes that are bound to it, in whatever way.
    var processes: Set<ProcessID> = []
    /// Processes that are bound by their pid, attached or not.
    var pids: Set<ProcessID> = []
    var programs = OrderedSet<ProgramKey>()
    /// Those of `programs` that are started when nobody accepts; most recently bound last.
    var autoStarts: [ProgramKey] = []
    /// By IPCP.
    var registrations: [ProcessID: Registration] = [:]

    struct Registration: Hashable, Sendable {
        let type: IPCPType
        let layer: LayerName
        let hash: [UInt8]
    }

    /// The local layer that its flows belong to: that of the lowest pid. spec: irmd §7
    var localLayer: (ipcp: ProcessID, registration: Registration)? {
        var lowest: (ipcp: ProcessID, registration: Registration)?
        for (ipcp, registration) in registrations
        where registration.type == .local && ipcp < lowest?.ipcp ?? ProcessID(.max) {
            lowest = (ipcp, registration)
        }
        return lowest
    }
}
