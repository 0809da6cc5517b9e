// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// swift-format-ignore-file: NeverUseForceTry, NeverForceUnwrap

import CLinux
import FlowMemory
import FlowRuntime
import Foundation
import LocalProtocol
import Platform
import Vocabulary

/// The least that the library needs of irmd: greets, and joins each `accept` with an `allocate`. Runs in the test's own
/// process, so that a flow has both ends here and a sanitizer sees both.
package final class TestBroker: @unchecked Sendable {
    package static let shared = TestBroker()

    private let condition = NSCondition()
    private let turn = DispatchSemaphore(value: 1)
    private var acceptors: [(connection: Int32, request: RequestID)] = []
    private var nextFlow: UInt32 = 1
    private var link: (memory: Int32, sockets: [Int32])?
    private var linkIsTaken = [false, false]
    package private(set) var deallocated: [FlowID] = []
    package private(set) var refusals: [Failure] = []

    private init() {
        let directory = NSTemporaryDirectory() + "/flow-runtime-tests-\(getpid())"
        mkdir(directory, 0o700)
        setenv(RuntimeDirectory.variable, directory, 1)
        let listener = (directory + "/" + RuntimeDirectory.socketName).withCString { cl_listen($0, 0o600) }
        precondition(listener >= 0)
        Thread.detachNewThread {
            while true {
                var one = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                poll(&one, 1, -1)
                let connection = cl_accept(listener)
                guard connection >= 0 else { continue }
                _ = fcntl(connection, F_SETFL, 0)
                Thread.detachNewThread { self.serve(connection) }
            }
        }
    }

    private func serve(_ connection: Int32) {
        while let arrival = try? MessageSocket.receive(on: connection) {
            guard let message = try? ProcessMessage(decoding: arrival.bytes) else { break }
            switch message {
            case .hello: send(.welcome(Welcome(features: [], manager: ProcessID(getpid()), incarnation: 1)), connection)
            case .accept(let request, _):
                condition.withLock {
                    acceptors.append((connection, request))
                    condition.broadcast()
                }
            case .allocate(let request, let name, let quality, _):
                if name.bytes == Array("ghost".utf8) { offerGhost() }
                allocate(connection, request, quality, isExpedited: name.bytes == Array("expedited".utf8))
            case .deallocate(let flow): condition.withLock { deallocated.append(flow) }
            case .refused(_, let failure): condition.withLock { refusals.append(failure) }
            case .taken, .join, .manage: break
            }
        }
        condition.withLock {
            acceptors.removeAll { $0.connection == connection }
            condition.broadcast()
        }
        cl_close(connection)
    }

    private func allocate(
        _ client: Int32, _ request: RequestID, _ quality: Vocabulary.QualityOfService, isExpedited: Bool
    ) {
        condition.lock()
        if link == nil {
            var sockets: [Int32] = [0, 0]
            precondition(cl_socketpair_seqpacket(&sockets) == 0)
            link = (try! LinkMemory.create().release(), sockets)
        }
        let flow = FlowID(nextFlow)
        nextFlow += 1
        let segment = try! SegmentMemory.create()
        // An acceptor may just have given up.
        var isOffered = false
        while !isOffered {
            while acceptors.isEmpty { condition.wait() }
            let acceptor = acceptors.removeFirst()
            isOffered = offer(
                flow, .second, quality, isExpedited, segment.number, acceptor.connection, acceptor.request)
        }
        _ = offer(flow, .first, quality, isExpedited, segment.number, client, request)
        condition.unlock()
    }

    /// Offers the next acceptor a flow over a link that it does not have any more: its peer has died, and irmd has not
    /// noticed yet.
    private func offerGhost() {
        condition.lock()
        defer { condition.unlock() }
        while acceptors.isEmpty { condition.wait() }
        let acceptor = acceptors.removeFirst()
        let segment = try! SegmentMemory.create()
        let offer = FlowOffer(
            flow: FlowID(1_000_000), end: .second, quality: .raw, peer: ProcessID(getpid()), link: LinkID(99),
            slot: LinkSlot(0), linkEnd: .second, linkIsIncluded: false, isExpedited: false)
        try! MessageSocket.send(
            ManagerMessage.offer(acceptor.request, offer).encoded(), descriptors: [segment.number],
            on: acceptor.connection)
    }

    private func offer(
        _ flow: FlowID, _ end: End, _ quality: Vocabulary.QualityOfService, _ isExpedited: Bool, _ segment: Int32,
        _ connection: Int32, _ request: RequestID
    ) -> Bool {
        guard let link else { return false }
        let offer = FlowOffer(
            flow: flow, end: end, quality: quality, peer: ProcessID(getpid()), link: LinkID(1),
            slot: LinkSlot(flow.rawValue), linkEnd: end, linkIsIncluded: !linkIsTaken[end.index],
            isExpedited: isExpedited)
        let descriptors = linkIsTaken[end.index] ? [segment] : [segment, link.memory, link.sockets[end.index]]
        let message = ManagerMessage.offer(request, offer).encoded()
        guard (try? MessageSocket.send(message, descriptors: descriptors, on: connection)) != nil else { return false }
        linkIsTaken[end.index] = true
        return true
    }

    private func send(_ message: ManagerMessage, _ connection: Int32) {
        try? MessageSocket.send(message.encoded(), on: connection)
    }

    /// Waits until so many accepts are pending.
    package func waitForAcceptors(_ count: Int) {
        condition.withLock { while acceptors.count != count { condition.wait() } }
    }

    /// Keeps other tests from accepting and allocating: an acceptor of one must not get the flow of another.
    package func alone<Result>(_ body: () async throws -> Result) async throws -> Result {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                self.turn.wait()
                continuation.resume()
            }
        }
        defer { turn.signal() }
        return try await body()
    }

    /// Both ends of a new flow.
    package func flow(
        _ quality: Vocabulary.QualityOfService = .raw, expedited: Bool = true, afterGhost: Bool = false
    ) throws -> (client: Int32, server: Int32) {
        turn.wait()
        defer { turn.signal() }
        nonisolated(unsafe) var server: Int32 = -1
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            server = (try? ManagerCall.accept(timeout: nil).0) ?? -1
            done.signal()
        }
        let name = ServiceName(afterGhost ? "ghost" : expedited ? "expedited" : "fenced")!
        let client = try ManagerCall.allocate(name, quality, timeout: TimeSpan(seconds: 30)).0
        done.wait()
        return (client, server)
    }
}
