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

    package enum Arrival: ~Copyable {
        case nothing
        case message(IPCPRequest, MessageSocket.Arrival)
        /// Bytes that are no message; so many.
        case nonsense(Int)
        /// irmd has closed it.
        case end
    }

    package static func receive() throws(Failure) -> Arrival {
        let arrival: MessageSocket.Arrival?
        do throws(Failure) {
            arrival = try MessageSocket.receive(on: descriptor, nonBlocking: true)
        } catch {
            if error == .wouldBlock { return .nothing }
            throw error
        }
        guard let arrival else { return .end }
        guard let request = try? IPCPRequest(decoding: arrival.bytes) else { return .nonsense(arrival.bytes.count) }
        return .message(request, arrival)
    }

    /// Waits for room: irmd reads what its children send.
    package static func send(_ reply: IPCPReply) throws(Failure) {
        try MessageSocket.send(reply.encoded(), on: descriptor)
    }
}
