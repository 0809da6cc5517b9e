// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Vocabulary

/// Stands in for irmd on a socket of its own: says the next of its answers to each message that comes.
struct StandIn: ~Copyable, Sendable {
    enum Answer: Sendable {
        case message(ManagerMessage)
        case bytes([UInt8])
        /// Nothing at all.
        case silence
        /// The end of the connection.
        case hangUp
    }

    private let directory: String
    let path: String

    /// Answers one connection: to the greeting the first answer, and so on.
    init(_ answers: [[Answer]], whenAsked: @escaping @Sendable (ProcessMessage) -> Void = { _ in }) throws(Failure) {
        var template = Array("/tmp/ouroboros-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(errno: cl_errno()) }
        let place = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let socket = place + "/irm.sock"
        let listener = socket.withCString { cl_listen($0, 0o600) }
        guard listener >= 0 else { throw Failure(result: Int(listener)) }
        try Thread.start { StandIn.serve(listener, answers, whenAsked) }
        directory = place
        path = socket
    }

    deinit {
        unlink(path)
        rmdir(directory)
    }

    private static func serve(
        _ listener: Int32, _ answers: [[Answer]], _ whenAsked: (ProcessMessage) -> Void
    ) {
        defer { cl_close(listener) }
        guard cl_poll_one(listener, Int16(POLLIN), -1, nil, nil) == 1 else { return }
        let connection = cl_accept(listener)
        defer { cl_close(connection) }
        for turn in answers {
            // Blocks in poll, because what was accepted does not.
            guard cl_poll_one(connection, Int16(POLLIN), -1, nil, nil) == 1 else { return }
            guard let arrival = try? MessageSocket.receive(on: connection) else { return }
            if let message = try? ProcessMessage(decoding: arrival.bytes) { whenAsked(message) }
            for answer in turn {
                switch answer {
                case .message(let message): try? MessageSocket.send(message.encoded(), on: connection)
                case .bytes(let bytes): try? MessageSocket.send(bytes, on: connection)
                case .silence: break
                case .hangUp: return
                }
            }
        }
        // Until the client is gone, so that only `hangUp` hangs up.
        _ = cl_poll_one(connection, Int16(POLLIN), -1, nil, nil)
    }
}

extension StandIn.Answer {
    static let welcome = StandIn.Answer.message(
        .welcome(Welcome(features: [], manager: ProcessID(1), incarnation: 1)))

    static func result(_ id: UInt64, _ result: ManagementResult) -> StandIn.Answer {
        .message(.result(RequestID(id), result))
    }
}
