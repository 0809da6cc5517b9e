// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Vocabulary

/// An IPCP's channel to irmd, which it is born with (descriptor 3).
package enum ManagerChannel {
    package static let descriptor: Int32 = 3

    /// False if the program was not started by irmd.
    package static var isThere: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK)
    }

    /// Hands what irmd has sent to `body`, up to a bound, so that others get their turn. False: irmd has closed it.
    package static func receive(
        _ log: Log, _ body: (IPCPRequest, inout MessageSocket.Arrival) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        for _ in 0..<64 {
            let next: MessageSocket.Arrival?
            do throws(Failure) {
                next = try MessageSocket.receive(on: descriptor, nonBlocking: true)
            } catch {
                if error == .wouldBlock { return true }
                throw error
            }
            guard var arrival = next else { return false }
            if let request = try? IPCPRequest(decoding: arrival.bytes) {
                try body(request, &arrival)
            } else {
                log.write(.warning, "ipcpd/ipcp", "irmd sent \(arrival.bytes.count) bytes that are no message.")
            }
        }
        return true
    }

    /// Waits for room: irmd reads what its children send.
    package static func send(_ reply: IPCPReply) throws(Failure) {
        try MessageSocket.send(reply.encoded(), on: descriptor)
    }
}
