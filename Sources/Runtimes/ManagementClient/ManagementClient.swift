// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Bytes
import CLinux
import LocalProtocol
import Platform
import Vocabulary

/// A connection to irmd for management: one request at a time, each with its verdict or a time limit, so that no
/// caller hangs. Used by one thread.
package final class ManagementClient: ManagementService {
    private let socket: Descriptor
    private let patience: TimeSpan
    private var lastRequest = RequestID(0)
    /// The features of irmd.
    private var features: Features = []

    /// Connects to the irmd of this environment, or to the one behind `path`, and greets it.
    package init(path: String? = nil, patience: TimeSpan = Limits.managementTimeout) throws(ManagementError) {
        self.patience = patience
        _ = RefusedCall.taken()
        socket = try ManagementClient.connect(path)
        try greet()
    }

    package func perform(_ request: ManagementRequest) throws(ManagementError) -> ManagementResult {
        if case .showFlow = request, !features.contains(.flowStatistics) { throw .olderManager }
        lastRequest = RequestID(lastRequest.rawValue + 1)
        try send(.manage(lastRequest, request))
        let deadline = Clock.now() + patience
        while true {
            switch try receive(until: deadline) {
            case .result(let id, let result) where id == lastRequest: return result
            case .failed(let id, let failure, let reason) where id == lastRequest:
                throw ManagementError(failure, irmd: reason)
            case .result, .failed: continue  // the late verdict on a request that was given up
            case .welcome, .versionRefused, .offer, .flowDown, .retireLink, .describeFlow: throw .unexpectedAnswer
            }
        }
    }

    private func greet() throws(ManagementError) {
        try send(.hello(Hello(role: .management)))
        switch try receive(until: Clock.now() + patience) {
        case .welcome(let welcome): features = welcome.features
        case .versionRefused(let version): throw .refusedVersion(version)
        case .failed(_, let failure, let reason): throw ManagementError(failure, irmd: reason)
        case .result, .offer, .flowDown, .retireLink, .describeFlow: throw .unexpectedAnswer
        }
    }

    /// A full backlog is a busy irmd: that passes.
    private static func connect(_ path: String?) throws(ManagementError) -> Descriptor {
        let deadline = Clock.now() + TimeSpan(seconds: 1)
        while true {
            do throws(RuntimeDirectory.Unreachable) {
                return try connectOnce(path)
            } catch {
                guard error.failure == .wouldBlock, Clock.now() < deadline else { throw .unreachable(error) }
                cl_sleep_nanoseconds(10_000_000)
            }
        }
    }

    private static func connectOnce(_ path: String?) throws(RuntimeDirectory.Unreachable) -> Descriptor {
        guard let path else { return try RuntimeDirectory.connect() }
        do throws(Failure) {
            return try MessageSocket.connect(path: path)
        } catch {
            throw RuntimeDirectory.Unreachable(failure: error, path: path, reason: nil)
        }
    }

    private func send(_ message: ProcessMessage) throws(ManagementError) {
        let bytes = message.encoded()
        guard bytes.count <= Limits.localMessageBytes else {
            throw ManagementError(.messageTooLong, reason: "The request has more bytes than irmd takes.")
        }
        do throws(Failure) {
            try MessageSocket.send(bytes, on: socket.number, nonBlocking: true)
        } catch {
            throw RefusedCall.taken().map { .refused($0) } ?? .lost
        }
    }

    private func receive(until deadline: Instant) throws(ManagementError) -> ManagerMessage {
        try wait(until: deadline)
        do throws(Failure) {
            guard let arrival = try MessageSocket.receive(on: socket.number) else { throw Failure.manager }
            do throws(MalformedMessage) {
                return try ManagerMessage(decoding: arrival.bytes)
            } catch {
                throw Failure.notSupported
            }
        } catch {
            throw error == .notSupported ? .unexpectedAnswer : RefusedCall.taken().map { .refused($0) } ?? .lost
        }
    }

    private func wait(until deadline: Instant) throws(ManagementError) {
        while true {
            let left = deadline.since(Clock.now()).nanoseconds
            // Rounded up, so that the limit is never early.
            let result = cl_poll_one(socket.number, Int16(POLLIN), Int32((left + 999_999) / 1_000_000), nil, nil)
            if result > 0 { return }
            if result == 0 { throw .silent(patience) }
            guard result == -EINTR || result == -ERESTART else { throw .lost }
        }
    }
}

extension ManagementError {
    fileprivate init(_ failure: Failure, irmd reason: [UInt8]) {
        self.init(failure, reason: reason.isEmpty ? failure.description + "." : printable(sentence: reason))
    }

    /// Begins with the sentence users of the prototype know.
    private static let communication =
        "Failed to communicate with the Ouroboros IPC Resource Manager daemon"

    fileprivate static func unreachable(_ error: RuntimeDirectory.Unreachable) -> ManagementError {
        if let call = RefusedCall.taken() { return .refused(call) }
        let path = error.path
        let failure = error.failure
        if let reason = error.reason {
            return ManagementError(
                .manager,
                reason: "\(communication): \(reason). Name the directory of an irmd that you trust in"
                    + " \(RuntimeDirectory.variable), or start your own \"irmd\".")
        }
        let advice =
            switch failure {
            case .accessDenied, .notPermitted:
                "\(failure). This user may not use \(printable(path.utf8)): be root or a member of group ouroboros, or start your own"
                    + " \"irmd\"."
            case .wouldBlock:
                "irmd at \(printable(path.utf8)) is too busy to answer. Try again."
            default:
                "None listens at \(RuntimeDirectory.searched()) (\(failure)). Start one with \"irmd\", or name the"
                    + " directory of a running one in \(RuntimeDirectory.variable)."
            }
        return ManagementError(.manager, reason: "\(communication). \(advice)")
    }

    fileprivate static func refusedVersion(_ version: ProtocolVersion) -> ManagementError {
        ManagementError(
            .manager,
            reason: "\(communication). irmd speaks version \(version) of the local protocol, this program version"
                + " \(ProtocolVersion.current). Install both from the same release and restart irmd.")
    }

    fileprivate static func refused(_ call: RefusedCall) -> ManagementError {
        ManagementError(
            .manager,
            reason: "\(communication): \(call). Allow it in the sandbox or container that this program runs in.")
    }

    fileprivate static let olderManager = ManagementError(
        .notSupported,
        reason:
            "irmd is of an older version, which cannot show one flow. Restart irmd; \"irm flow list\" works with both.")

    fileprivate static let lost = ManagementError(
        .manager, reason: "\(communication). It closed the connection. Its log says why.")

    fileprivate static func silent(_ patience: TimeSpan) -> ManagementError {
        ManagementError(
            .manager,
            reason: "\(communication). No answer within \(patience.nanoseconds / 1_000_000_000) s. It may be"
                + " stopped or stuck: see its log, or restart it.")
    }
}
