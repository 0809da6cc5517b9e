// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Names become reachable in layers.
extension ResourceManager {
    mutating func registerName(_ name: ServiceName, with process: ProcessID, for requester: Requester) {
        guard let record = naming[name] else {
            report(.naming(.unknown(name)))
            return fail(requester, .name, "there is no name \(name); create it, or bind something to it")
        }
        guard let ipcp = usableIPCP(process, for: requester) else { return }
        guard let layer = ipcp.layer else {
            return fail(requester, .ipcpState, "IPCP \(process) is not a member of a layer yet")
        }
        // Registering again is what a script does that is run again.
        guard record.registrations[process] == nil else { return succeed(requester, .unchanged) }
        let registration = NameRecord.Registration(
            type: ipcp.type, layer: layer.name, hash: hashing.digest(of: name, with: layer.hash))
        ask(process, .register(name, registration), for: requester) { .register($0, hash: registration.hash) }
    }

    mutating func registered(_ name: ServiceName, _ registration: NameRecord.Registration, with ipcp: ProcessID) {
        guard naming[name] != nil else {
            // Destroyed while the IPCP was at it.
            return ask(ipcp, .unregister(name), for: nil) { .unregister($0, hash: registration.hash) }
        }
        naming.register(name, registration, with: ipcp)
        report(.naming(.registered(name, ipcp, hash: registration.hash)))
    }

    mutating func unregisterName(_ name: ServiceName, with process: ProcessID, for requester: Requester) {
        guard let record = naming[name] else {
            report(.naming(.unknown(name)))
            return fail(requester, .name, "there is no name \(name)")
        }
        guard usableIPCP(process, for: requester) != nil else { return }
        guard let registration = record.registrations[process] else {
            return fail(requester, .noEntry, "\(name) is not registered with IPCP \(process)")
        }
        naming.unregister(name, with: process)
        ask(process, .unregister(name), for: requester) { .unregister($0, hash: registration.hash) }
    }
}
