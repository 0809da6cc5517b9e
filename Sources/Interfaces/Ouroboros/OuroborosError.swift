// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Platform
import Vocabulary

/// The reason of a failure: a number for programs, a sentence for people, and what to do about it.
///
/// Blocking calls throw nothing else, so a `catch` knows the type:
///
/// ```swift
/// do {
///     try flow.write(message, deadline: .after(.seconds(1)))
/// } catch let error where error.code == .timedOut {
///     print("The other side does not read.")
/// }
/// ```
///
/// Awaited calls throw this error as well, or `CancellationError` when their task is cancelled. A code can be matched
/// against an error of any type: `catch OuroborosError.Code.flowDown`.
public struct OuroborosError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public let code: Code
    /// What happened, as a sentence.
    public let reason: String
    /// What to do, as a sentence; empty if the reason says it already or there is nothing to do.
    public let hint: String

    /// A failure of this kind. A reason that is given also says what to do.
    public init(_ code: Code, reason: String? = nil) {
        self.code = code
        self.reason = reason ?? code.description + "."
        hint = reason == nil ? code.hint : ""
    }

    /// The reason, and the hint.
    public var description: String { hint.isEmpty ? reason : reason + " " + hint }

    init(_ failure: Failure) { self.init(Code(rawValue: failure.errno)) }

    /// irmd's own words are the reason, as a sentence.
    init(_ refusal: Refusal) {
        self.init(
            Code(rawValue: refusal.failure.errno), reason: refusal.reason.map { $0.hasSuffix(".") ? $0 : $0 + "." })
    }
}

extension OuroborosError {
    /// A kind of failure: an errno value of Linux or of `ouroboros/errno.h`. A server that refuses a flow may send other
    /// numbers. spec: c-api §3
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// A positive errno value.
        public let rawValue: Int32
        /// Any number is possible.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        private init(_ failure: Failure) { self.init(rawValue: failure.errno) }

        /// `EPERM`: the flow's or the peer's flags forbid it, a flow is in a set already, or irmd refused.
        public static let notPermitted = Code(.notPermitted)
        /// `ENOENT`: there is no such program.
        public static let noEntry = Code(.noEntry)
        /// `EINTR`: a signal handler that was installed without `SA_RESTART` ran.
        public static let interrupted = Code(.interrupted)
        /// `EBADF`: no flow descriptor or flow identifier is left.
        public static let badDescriptor = Code(.badDescriptor)
        /// `EAGAIN`: the call would wait, and the flow's flags say that it shall not.
        public static let wouldBlock = Code(.wouldBlock)
        /// `ENOMEM`: there is no memory.
        public static let outOfMemory = Code(.outOfMemory)
        /// `EBUSY`: a message is being written or read in place.
        public static let busy = Code(.busy)
        /// `EINVAL`: an argument is not valid.
        public static let invalid = Code(.invalid)
        /// `ENFILE`: a limit of the system or of this user is reached.
        public static let limitReached = Code(.tableFull)
        /// `EMFILE`: the process can open no more file descriptors.
        public static let tooManyDescriptors = Code(.tooManyDescriptors)
        /// `EMSGSIZE`: the message is longer than the flow can carry, or than the buffer for it.
        public static let messageTooLong = Code(.messageTooLong)
        /// `EEXIST`: the name of an IPCP, or a binding, exists already.
        public static let exists = Code(.exists)
        /// `EACCES`: the runtime directory of irmd, or a file that was named, may not be used by this user.
        public static let accessDenied = Code(.accessDenied)
        /// `ENOTSUP`: the layer does not offer the quality that was asked for, or an IPCP cannot do what it was asked.
        public static let notSupported = Code(.notSupported)
        /// `ETIMEDOUT`: the deadline has passed.
        public static let timedOut = Code(.timedOut)
        /// `ENOTALLOC`: the flow was closed before the call; or the layer to join is not a broadcast layer.
        public static let notAllocated = Code(.notAllocated)
        /// `EIPCPTYPE`: the type of IPCP is unknown, or its daemon is not installed.
        public static let ipcpType = Code(.ipcpType)
        /// `EIPCPSTATE`: the IPCP is not yet, or already, a member of a layer; or it is starting or ending.
        public static let ipcpState = Code(.ipcpState)
        /// `EIRMD`: irmd is not there, or went away.
        public static let manager = Code(.manager)
        /// `EIPCP`: nobody serves the name, no layer leads there, or the layer refused.
        public static let ipcp = Code(.ipcp)
        /// `EFLOWDOWN`: the other end has gone, or one of the ends has taken the flow down.
        public static let flowDown = Code(.flowDown)
        /// `EFLOWPEER`: the other end was silent for the flow's peer timeout.
        public static let flowPeer = Code(.flowPeer)
        /// `ENAME`: irmd does not know the name.
        public static let name = Code(.name)
        /// `ECRYPT`: the ends could not agree on encryption.
        public static let encryption = Code(.encryption)
        /// `EAUTH`: the server's certificate is not acceptable.
        public static let authentication = Code(.authentication)

        /// A few words.
        public var description: String { Failure(errno: rawValue).description }

        fileprivate var hint: String {
            switch self {
            case .manager:
                "Looked for irmd at \(RuntimeDirectory.searched()): start one, or name the directory of a running one"
                    + " in \(RuntimeDirectory.variable)."
            case .name: "\"irm name list\" shows the names that there are; a server's binding makes one."
            case .ipcp: "Start a server that is bound to the name, or register the name in a layer that leads to one."
            case .badDescriptor: "Close flows that are not needed any more."
            case .tooManyDescriptors: "Raise the limit of open files (\"ulimit -n\")."
            case .messageTooLong: "Send it in several messages, or read it with read()."
            case .flowDown: "Allocate a new flow to go on."
            case .flowPeer: "The other process is stopped, or its host is gone. Allocate a new flow to go on."
            case .ipcpType: "Install the daemon of that type beside irmd."
            default: ""
            }
        }

        /// Lets `catch OuroborosError.Code.timedOut` match an error of any type.
        public static func ~= (code: Code, error: any Error) -> Bool { (error as? OuroborosError)?.code == code }
    }
}

/// Runs what fails like the library below, and fails like this one.
@inline(__always)
func reporting<Answer>(_ body: () throws(Failure) -> Answer) throws(OuroborosError) -> Answer {
    do throws(Failure) {
        return try body()
    } catch {
        throw OuroborosError(error)
    }
}
