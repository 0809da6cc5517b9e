// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import Vocabulary

/// What a UDP layer has below it: a socket, and threads that know or ask where names are.
package enum DatagramLower: LowerSide {
    package enum Event: Hashable, Sendable {
        /// A datagram that `ForwardingMachine.arriving` called control.
        case datagram([UInt8], from: DatagramAddress)
        /// The outcome of `Action.open`.
        case opened
        case notOpened(Failure)
        /// The outcome of `Action.resolve`.
        case resolved(ResolutionID, Resolution)
        /// The outcome of `Action.tryKey`; nil: it can be read.
        case keyTried(RequestID, FileObstacle?)
        /// The hosts file of the layer, when the layer begins and whenever the file has changed.
        case hosts(HostsFile)
        /// There is none that can be read; it is looked for again.
        case noHosts(FileObstacle)
    }

    package enum Action: Hashable, Sendable {
        /// Opens the socket of the layer; then `opened` or `notOpened`.
        case open(DatagramAddress)
        /// Looks whether the file at this path can be read with these rights; then `keyTried` with the same number.
        case tryKey(RequestID, [UInt8], by: FileRights)
        /// Follows the file at this path for the names of addresses like the layer's own, and reads it with these rights;
        /// then `hosts` or `noHosts`.
        case followHosts([UInt8], for: DatagramAddress, by: FileRights)
        /// There will be no layer.
        case leaveHosts
        case send([UInt8], to: DatagramAddress)
        /// Asks somebody outside; then `resolved`.
        case resolve(ResolutionID, Inquiry)
        /// Tells the DNS server; nothing comes back but a line in the log.
        case publish(DNSUpdate)
        /// The last that the DNS server is told, instead of all that waits; also at the end of the daemon. Nothing comes
        /// back but lines in the log.
        case withdraw(DNSUpdate)
    }

    package enum Report: LogLine {
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
            case .hostsRead, .hostsNotReported: .info
            case .resolved: .debug
            // The layer works without what they say, and somebody has to correct it.
            case .hostsMistake, .hostsUnreadable, .notResolved: .warning
            }
        }

        package var component: String { "ipcpd/directory" }

        package var text: String {
            switch self {
            case .hostsRead(let names, let mistakes):
                "Read the hosts file: \(names) \(names == 1 ? "name" : "names")"
                    + (mistakes == 0 ? "." : ", \(mistakes) \(mistakes == 1 ? "mistake" : "mistakes").")
            case .hostsMistake(let path, let mistake): "Hosts file \(printable(path)), \(mistake)."
            case .hostsUnreadable(let path, let obstacle):
                "Cannot read hosts file \(printable(path)): \(obstacle). What was read before is still used."
            case .hostsNotReported(let times):
                "The hosts file has also changed \(times) \(times == 1 ? "time" : "times") without a line in the log."
            case .resolved(let hash, let address): "\(hexadecimal(hash.prefix(4))) is at \(address)."
            case .notResolved(let hash, let source, let failure, let others):
                "\(source) could not be asked for \(hexadecimal(hash.prefix(4))): \(failure)"
                    + (others == 0 ? "." : "; nor for \(others) others before.")
            }
        }
    }
}

package typealias DatagramEvent = IPCPEvent<DatagramLower>
package typealias DatagramAction = IPCPAction<DatagramLower>
