// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Why an IPCP refuses a request of irmd, in words for people. The IPCPs of all types use the same words.
enum IPCPRefusal {
    static let notBootstrapped = "the IPCP is not bootstrapped yet: use \"irm ipcp bootstrap\""
    static let bootstrapped = "the IPCP is bootstrapped already, and can be in one layer only"
    static let bootstrapping = "the IPCP is being bootstrapped at this moment"

    static let numberInUse = "irmd uses the number of this request for another request already"

    static func otherType(_ own: IPCPType) -> String {
        "the IPCP is of type \(own.name), and the configuration is for a layer of another type"
    }
}
