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
/// Any number of threads and tasks may use a flow at once. ``close()`` closes it, and so does the end of the last
/// reference; the other end can still read the messages that it has not read yet.
///
/// A flow is a class and not a `~Copyable` value, because a flow usually has two users, one that reads and one that
/// writes, and programs keep flows in arrays, dictionaries and sequences. The reference costs nothing for a packet.
/// Nobody can use a closed flow by mistake: no other flow gets its descriptor while the object lives, so a late call
/// throws ``OuroborosError/Code/notAllocated`` and never reaches another flow.
///
/// ### Fork
///
/// As in C, a forked child may use the blocking calls on flows that it inherited; its end does not end these flows for
/// the parent. The child must not use anything that is awaited: Swift's concurrency does not survive a fork.
public final class Flow: Sendable {
    /// The quality of the flow.
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

    /// Closes the flow. The peer learns this at once. The call waits neither for the peer nor for irmd. Calls that wait
    /// on the flow throw ``OuroborosError/Code/flowDown``, later calls throw ``OuroborosError/Code/notAllocated``. A
    /// second call has no effect. spec: c-api §5.5
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
    ///   - quality: The quality that the flow must have.
    ///   - deadline: Nil: 20 s from now. The server never sees a flow whose client gave up.
    /// - Throws: ``OuroborosError`` with ``OuroborosError/Code/name`` if irmd does not know the name, `ipcp` if nobody
    ///   serves it, `timedOut`, `manager` if there is no irmd, `encryption`, `authentication`, `badDescriptor`,
    ///   `notSupported` if the layer does not offer the quality, `limitReached`, `tooManyDescriptors`, `outOfMemory`,
    ///   `interrupted`, or the error with which the server's side refused.
    public static func open(
        to name: String, quality: QualityOfService = .raw, deadline: Deadline? = nil
    ) throws(OuroborosError) -> Flow {
        let name = try ServiceName(checking: name)
        return try opened { () throws(Refusal) in
            try ManagerCall.allocate(name, quality.request, timeout: deadline?.left)
        }
    }

    /// Joins a broadcast layer, through an IPCP of this system that is enrolled in it: all other members can read what
    /// one member writes. spec: c-api §5.4
    ///
    /// - Parameters:
    ///   - layer: The name of the layer.
    ///   - deadline: Nil: 20 s from now.
    /// - Throws: ``OuroborosError`` with `ipcp` if no IPCP of this system is in a layer of that name, `notAllocated` if
    ///   the layer is not a broadcast layer; otherwise like `open(to:quality:deadline:)`.
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
