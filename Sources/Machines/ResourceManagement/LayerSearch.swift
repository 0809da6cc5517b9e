// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Which layer knows a name that nobody here serves?
extension ResourceManager {
    /// The members of layers that reach other hosts, in the order in which they are preferred.
    private func layersToOthers() -> [IPCPRecord] {
        children.ipcpsInOrder.filter { $0.reach != nil && attachments.processes[$0.process] != nil }
    }

    /// Asks the layers for the name, or the one that there is for the flow. False if there is none to ask.
    mutating func search(_ allocation: Allocation) -> Bool {
        let layers = layersToOthers()
        guard allocation.origin == nil, !layers.isEmpty, allocation.deadline > now else { return false }
        var allocation = allocation
        allocation.searched = now
        if let only = layers.first, layers.count == 1 {
            // It says itself if it does not know the name: two messages less than to ask first.
            beginRemote(allocation, with: only.process)
            return true
        }
        let user = user(of: allocation)
        guard layers.allSatisfy({ children.mayAsk($0.process, for: user, isExempt: isExempt(user)) }) else {
            refuse(allocation, .tableFull, "uid \(user) waits for as many names of the layers as one user may")
            return true
        }
        let search = NameSearch(allocation, among: layers.map(\.process))
        book.search(search)
        arm(allocation.call, at: allocation.deadline)
        for layer in layers {
            guard let hash = layer.layer?.hash else { continue }
            let digest = hashing.digest(of: allocation.name, with: hash)
            ask(layer.process, .query(allocation.call, allocation.request), for: nil, of: user) {
                .query($0, hash: digest, user: user)
            }
        }
        return true
    }

    /// An IPCP has said whether its layer knows the name, or did not answer.
    mutating func searched(_ call: CallID, _ request: RequestID, with ipcp: ProcessID, knows: Bool) {
        guard case .searching(var search) = book.calls[call]?.stage, search.allocation.request == request else {
            return
        }
        let allocation = search.allocation
        switch search.answered(ipcp, knows: knows) {
        case .undecided: book.search(search)
        case .found(let ipcp): beginRemote(allocation, with: ipcp)
        case .nobody:
            // Somebody may have come to serve it here meanwhile.
            if let record = naming[allocation.name], isServed(record, for: allocation.process) {
                return seek(allocation)
            }
            refuseUnknown(allocation)
        }
    }

    /// Neither this host nor a layer knows who serves the name. One that was told to wait for its server does.
    mutating func refuseUnknown(_ allocation: Allocation) {
        if waitForServer(allocation) { return }
        guard naming[allocation.name] != nil else {
            return refuse(
                allocation, .name,
                "name \(allocation.name) is unknown here and in the layers; bind a program or a process to it")
        }
        refuse(
            allocation, .ipcp,
            "nobody serves \(allocation.name): no live process is bound to it, no program can be started for it,"
                + " and no layer knows another host that has it")
    }
}
