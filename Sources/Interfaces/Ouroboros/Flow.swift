// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowRuntime
import Vocabulary

/// A two-way path for messages between two processes.
///
/// ```swift
/// let flow = try Flow.open(to: "echo")
/// try flow.write(Array("hello".utf8))
/// print(String(decoding: try flow.read(), as: UTF8.self))
/// ```
///
/// Any number of threads and tasks may use a flow at once. It is closed by ``close()``, or when the last reference to it
/// goes; messages that the other end has not read yet are still delivered to it.
///
/// A flow is a class and not a value that cannot be copied, because a flow usually has two users, one that reads and one
/// that writes, and is kept in arrays, dictionaries and sequences, none of which a `~Copyable` value could be in. The
/// reference costs nothing for a packet. What a `~Copyable` value would have given, that nobody can use a closed flow by
/// mistake, holds here too: its descriptor is given to no other flow while the object lives, so a late call throws
/// ``OuroborosError/Code/notAllocated`` and never meets another flow.
///
/// ### Fork
///
/// As in C, a forked child may go on with the blocking calls on flows that it inherited, and its end does not end them
/// for the parent. It must not use anything that is awaited: Swift's concurrency does not survive a fork.
public final class Flow: Sendable {
    /// What the flow was given.
    public let quality: QualityOfService
    /// As in the C interface. This object owns it.
    let descriptor: Int32
    /// Rings when something has arrived, for tasks that wait.
    let bell = Doorbell()

    /// Takes over a descriptor that nobody else closes.
    init(adopting descriptor: Int32, _ quality: Vocabulary.QualityOfService) {
        self.descriptor = descriptor
        self.quality = QualityOfService(quality)
        FlowControl.keepNumber(descriptor)
    }

    deinit {
        bell.detach(descriptor)
        FlowControl.releaseNumber(descriptor)
    }

    /// Lets go of the flow, of which the peer learns at once. Waits for nobody, neither for the peer nor for irmd. Calls
    /// that wait on the flow throw ``OuroborosError/Code/flowDown``, later ones ``OuroborosError/Code/notAllocated``; to
    /// close again does nothing. spec: c-api §5.5
    public func close() {
        bell.detach(descriptor)
        // It fails if the flow is closed already, or if irmd is not there to be told: the flow is closed all the same.
        try? FlowControl.deallocate(descriptor)
        bell.ring()
    }
}

// Allocation.
extension Flow {
    /// Allocates a flow to a name, and waits until its server has accepted it. spec: c-api §5.2
    ///
    /// - Parameters:
    ///   - name: Known to the irmd of this system; 1 to 255 bytes of UTF-8.
    ///   - quality: What the flow shall be like.
    ///   - deadline: Nil: 20 s from now. The server never sees a flow whose client gave up.
    /// - Throws: ``OuroborosError`` with ``OuroborosError/Code/name`` if irmd does not know the name, `ipcp` if nobody
    ///   serves it, `timedOut`, `manager` if there is no irmd, `encryption`, `authentication`, `badDescriptor`,
    ///   `limitReached`, `tooManyDescriptors`, `outOfMemory`, `interrupted`, or what the server's side refused with.
    public static func open(
        to name: String, quality: QualityOfService = .raw, deadline: Deadline? = nil
    ) throws(OuroborosError) -> Flow {
        let name = try ServiceName(checking: name)
        return try opened { () throws(Refusal) in
            try ManagerCall.allocate(name, quality.request, timeout: deadline?.left)
        }
    }

    /// Joins a broadcast layer, through an IPCP of this system that is enrolled in it: what one member writes all others
    /// can read. spec: c-api §5.4
    ///
    /// - Parameters:
    ///   - layer: The name of the layer.
    ///   - deadline: Nil: 20 s from now.
    /// - Throws: ``OuroborosError`` with `ipcp` if no IPCP of this system is in a layer of that name, `notAllocated` if
    ///   it is not a broadcast layer; else like `open(to:quality:deadline:)`.
    public static func join(layer: String, deadline: Deadline? = nil) throws(OuroborosError) -> Flow {
        let layer = try LayerName(checking: layer)
        return try opened { () throws(Refusal) in try ManagerCall.join(layer, timeout: deadline?.left) }
    }

    /// What a request to irmd brought.
    static func opened(
        _ request: () throws(Refusal) -> (Int32, Vocabulary.QualityOfService)
    ) throws(OuroborosError) -> Flow {
        ProcessAttachment.begin()
        do throws(Refusal) {
            let (descriptor, quality) = try request()
            return Flow(adopting: descriptor, quality)
        } catch {
            throw OuroborosError(error)
        }
    }
}

extension Name {
    /// `ipcp` for layers and `name` for all others that cannot be a name, because nothing is called so. spec: c-api §5
    init(checking text: String) throws(OuroborosError) {
        guard let name = Self(text) else {
            throw OuroborosError(Kind.self == LayerKind.self ? .ipcp : .name)
        }
        self = name
    }
}
