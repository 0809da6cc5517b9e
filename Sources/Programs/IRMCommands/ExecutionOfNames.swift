// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Vocabulary

/// Registrations of names. spec: irm-cli §3
extension Execution {
    /// Creates the name if need be. Registrations made before one that fails stay.
    mutating func register(_ registration: Registration) throws(ManagementError) {
        let matches = try matches(of: registration)
        try service.create(NameSettings(name: registration.name, balancing: .spillover))
        for (target, ipcps) in matches {
            for ipcp in ipcps {
                do throws(ManagementError) {
                    if try !request(.registerName(registration.name, ipcp.process)) {
                        report.warn("\(registration.name) is registered with IPCP \(ipcp.name) already.")
                    }
                } catch {
                    throw error.explaining("Failed to register with \(target).")
                }
            }
        }
    }

    /// A pattern with a wildcard means all those that have the name; without one, all that match it.
    mutating func unregister(_ registration: Registration) throws(ManagementError) {
        for (target, ipcps) in try matches(of: registration) {
            var failures: [ManagementError] = []
            for ipcp in ipcps {
                do throws(ManagementError) {
                    try request(.unregisterName(registration.name, ipcp.process))
                } catch {
                    failures.append(error)
                }
            }
            if let first = failures.first, !target.hasWildcard || failures.count == ipcps.count {
                throw first.explaining("Failed to unregister from \(target).")
            }
        }
    }

    /// The IPCPs of each target; each IPCP once.
    private func matches(
        of registration: Registration
    ) throws(ManagementError) -> [(target: Registration.Target, ipcps: [IPCPEntry])] {
        let existing = try service.ipcps()
        guard !existing.isEmpty else {
            throw ManagementError(
                .ipcp, reason: "There are no IPCPs. \"irm ipcp bootstrap\" creates one, and its layer.")
        }
        var seen: Set<ProcessID> = []
        var matches: [(target: Registration.Target, ipcps: [IPCPEntry])] = []
        for target in registration.targets {
            let admitted = existing.filter { entry in
                // A wildcard does not mean layers that know no names.
                target.admits(entry) && !(target.hasWildcard && !entry.type.hasDirectory)
            }
            guard !admitted.isEmpty else {
                throw ManagementError(
                    .ipcp, reason: "There is no \(target). \"irm ipcp list\" shows IPCPs and their layers.")
            }
            matches.append((target, admitted.filter { seen.insert($0.process).inserted }))
        }
        return matches
    }
}

extension Registration.Target {
    var hasWildcard: Bool {
        switch self {
        case .ipcp(let pattern), .layer(let pattern): pattern.hasWildcard
        }
    }
}
