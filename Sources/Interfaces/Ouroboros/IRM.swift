// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowRuntime
import ManagementClient
import Platform
import Vocabulary

/// Management of the system: a connection to its irmd that creates IPCPs, and creates, binds and registers names. It is
/// for irmd's user, for root, and for members of the group `ouroboros`.
///
/// ```swift
/// let irm = try IRM()
/// let ipcp = try irm.createIPCP(named: "local-ipcp", type: .local)
/// try irm.bootstrap(ipcp, as: LayerConfiguration(layer: "local-layer", parameters: .local))
/// try irm.bind(.current, to: "echo")
/// try irm.register("echo", with: ipcp)
/// ```
///
/// All calls block until irmd has answered: most calls for less than a millisecond; calls that start, enrol or connect
/// IPCPs until that is done; and no call for more than 25 s. Async programs put the calls into ``run(_:)``, which takes
/// them off the threads that tasks share. Several threads may use one connection at once; irmd answers their requests
/// one after the other.
///
/// All calls throw ``OuroborosError``: with `manager` if irmd does not answer, `invalid` for an impossible name or path,
/// and otherwise the error with which irmd refuses, for example `notPermitted`. The reason is the sentence of irmd.
public final class IRM: Sendable {
    private let client: Guarded<ManagementClient>

    /// Connects to the irmd of this environment and greets it.
    public init() throws(OuroborosError) {
        do throws(ManagementError) {
            client = Guarded(try ManagementClient())
        } catch {
            throw OuroborosError(error)
        }
    }

    /// Runs `body`, with a new connection, on a new thread.
    public nonisolated(nonsending) static func run<Answer: Sendable>(
        _ body: @escaping @Sendable (IRM) throws -> Answer
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            do throws(Failure) {
                try Thread.start { continuation.resume(with: Result { try body(IRM()) }) }
            } catch {
                continuation.resume(throwing: OuroborosError(error))
            }
        }
    }

    func ask<Answer: Sendable>(
        _ question: (ManagementClient) throws(ManagementError) -> Answer
    ) throws(OuroborosError) -> Answer {
        try client.withLock { client throws(OuroborosError) in
            do throws(ManagementError) {
                return try question(client)
            } catch {
                throw OuroborosError(error)
            }
        }
    }
}

extension OuroborosError {
    init(_ error: ManagementError) {
        self.init(Code(rawValue: error.failure.errno), reason: error.reason)
    }
}

/// A process of this host, by the number that the kernel gave it.
public struct ProcessID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// As in `getpid(2)`.
    public let rawValue: Int32
    /// Any number will do: irmd knows whether there is such a process.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// This process.
    public static var current: ProcessID { ProcessID(rawValue: getpid()) }

    /// The number, in decimal.
    public var description: String { String(rawValue) }
    /// By number.
    public static func < (left: ProcessID, right: ProcessID) -> Bool { left.rawValue < right.rawValue }

    init(_ process: Vocabulary.ProcessID) { self.init(rawValue: process.rawValue) }
    var inner: Vocabulary.ProcessID { Vocabulary.ProcessID(rawValue) }
}
