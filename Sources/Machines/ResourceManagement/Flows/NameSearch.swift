// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Which layer knows a name that nobody here serves? All are asked at once; the first in the order of types wins, as soon
/// as those before it have said no. spec: udp-layer §4.1
struct NameSearch: Hashable, Sendable {
    let allocation: Allocation
    /// In the order of preference.
    private(set) var candidates: [Candidate]

    struct Candidate: Hashable, Sendable {
        let ipcp: ProcessID
        var knows: Bool?
    }

    init(_ allocation: Allocation, among ipcps: [ProcessID]) {
        self.allocation = allocation
        candidates = ipcps.map { Candidate(ipcp: $0) }
    }

    enum Outcome: Hashable, Sendable {
        case found(ProcessID)
        case nobody
        case undecided
    }

    mutating func answered(_ ipcp: ProcessID, knows: Bool) -> Outcome {
        for index in candidates.indices where candidates[index].ipcp == ipcp { candidates[index].knows = knows }
        for candidate in candidates {
            switch candidate.knows {
            case true?: return .found(candidate.ipcp)
            case nil: return .undecided
            case false?: continue
            }
        }
        return .nobody
    }
}
