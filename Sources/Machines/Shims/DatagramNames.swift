// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary
import Wire

/// Names in a UDP layer: the directory knows them, this asks it for irmd. spec: udp-layer §5
extension DatagramLayer {
    mutating func register(_ id: RequestID, _ hash: [UInt8], into actions: inout [DatagramAction]) {
        guard isHash(hash, id, into: &actions) else { return }
        guard member?.directory.register(hash, into: &actions) == true else {
            return refuse(id, .tableFull, "there are too many names", into: &actions)
        }
        actions += [.report(.registering(hash: hash)), .report(.registered(hash: hash)), .reply(.succeeded(id))]
    }

    mutating func unregister(_ id: RequestID, _ hash: [UInt8], into actions: inout [DatagramAction]) {
        guard isHash(hash, id, into: &actions) else { return }
        guard member?.directory.unregister(hash, into: &actions) == true else {
            return refuse(id, .name, "the name is not registered here", into: &actions)
        }
        actions += [.report(.unregistered(hash: hash)), .reply(.succeeded(id))]
    }

    mutating func query(
        _ id: RequestID, _ hash: [UInt8], of user: UserID, now: Instant, into actions: inout [DatagramAction]
    ) {
        guard isHash(hash, id, into: &actions) else { return }
        guard askers[id] == nil else { return refuse(id, .exists, IPCPRefusal.numberInUse, into: &actions) }
        askers[id] = .query
        member?.directory.look(up: hash, for: id, of: user, now: now, into: &actions)
    }

    /// The directory has decided.
    mutating func settle(_ answer: Directory.Answer, now: Instant, into actions: inout [DatagramAction]) {
        switch askers.removeValue(forKey: answer.asker) {
        case .query:
            if answer.address != nil {
                actions.append(.reply(.succeeded(answer.asker)))
            } else {
                // An answer, not a mistake: nothing for the log.
                actions.append(.reply(.failed(answer.asker, answer.failure, reason: Array(answer.reason.utf8))))
            }
        case .flow(let endpoint):
            guard let address = answer.address else {
                return fail(endpoint, answer.failure, answer.reason, into: &actions)
            }
            ask(address, for: endpoint, now: now, into: &actions)
        // The process has let go of its flow meanwhile.
        case nil: break
        }
    }

    private func isHash(_ hash: [UInt8], _ id: RequestID, into actions: inout [DatagramAction]) -> Bool {
        guard member != nil else {
            refuse(id, .ipcpState, IPCPRefusal.notBootstrapped, into: &actions)
            return false
        }
        guard hash.count == DatagramManagement.hashBytes else {
            refuse(id, .invalid, "a hash of this layer has \(DatagramManagement.hashBytes) bytes", into: &actions)
            return false
        }
        return true
    }
}
