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
    /// `pair`: of `flow`; else 0.
    private var acceptors: [(connection: Int32, request: RequestID, pair: UInt64)] = []
    private var lastPair: UInt64 = 0
    /// What the flows of `flow` shall be, by pair.
    private var shapes: [UInt64: FlowShape] = [:]
    private var nextFlow: UInt32 = 1
    /// By their numbers.
    private var links: [UInt32: BrokerLink] = [:]
    /// The end that was offered last, by connection.
    private var offered: [Int32: (end: End, link: UInt32)] = [:]
    package private(set) var deallocated: [FlowID] = []
    package private(set) var refusals: [Failure] = []
    private var session: Int32 = -1
    private var questions: UInt64 = 0
    /// What the library has said of its flows, by question.
    private var descriptions: [RequestID: FlowStatistics?] = [:]

    private init() {
        let directory = NSTemporaryDirectory() + "/flow-runtime-tests-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
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
            case .hello(let hello):
                if hello.role == .session { condition.withLock { session = connection } }
                send(.welcome(Welcome(features: [], manager: ProcessID(getpid()), incarnation: 1)), connection)
            case .accept(let request, let timeout):
                let hours = ((timeout?.nanoseconds ?? 0) + TestBroker.hour - 1) / TestBroker.hour
                condition.withLock {
                    acceptors.append((connection, request, hours < TestBroker.firstPair ? 0 : hours))
                    condition.broadcast()
                }
            case .allocate(let request, let name, let quality, _):
                let words = name.description.split(separator: "#")
                let pair = words.count == 2 ? UInt64(words[1]) ?? 0 : 0
                if words[0] == "refused" {
                    let reason = Array("/bin/x ended with status 127 before it accepted\u{7} a flow".utf8)
                    send(.failed(request, .ipcp, reason: reason), connection)
                    continue
                }
                if words[0] == "ghost" { offerGhost(pair) }
                allocate(connection, request, name, quality, pair, isExpedited: words[0] == "expedited")
            case .deallocate(let flow): condition.withLock { deallocated.append(flow) }
            case .refused(_, let failure): condition.withLock { refusals.append(failure) }
            case .taken:
                condition.withLock {
                    if let (end, link) = offered[connection] { links[link]?.isTaken[end.index] = true }
                }
            case .described(let request, let statistics):
                condition.withLock {
                    descriptions[request] = .some(statistics)
                    condition.broadcast()
                }
            case .join, .manage: break
            }
        }
        condition.withLock {
            acceptors.removeAll { $0.connection == connection }
            condition.broadcast()
        }
        cl_close(connection)
    }

    private func allocate(
        _ client: Int32, _ request: RequestID, _ name: ServiceName, _ quality: Vocabulary.QualityOfService,
        _ pair: UInt64, isExpedited: Bool
    ) {
        condition.lock()
        var shape = shapes[pair] ?? FlowShape()
        if links[shape.link] == nil {
            var sockets: [Int32] = [0, 0]
            precondition(cl_socketpair_seqpacket(&sockets) == 0)
            links[shape.link] = BrokerLink(memory: try! LinkMemory.create().release(), sockets: sockets)
        }
        let flow = FlowID(nextFlow)
        nextFlow += 1
        shapes[pair] = nil
        shape.name = name
        let segment = try! SegmentMemory.create()
        // An acceptor may just have given up.
        var isOffered = false
        while !isOffered {
            let acceptor = takeAcceptor(pair)
            isOffered = offer(
                flow, .second, quality, isExpedited, shape, segment.number, acceptor.connection, acceptor.request)
        }
        _ = offer(flow, .first, quality, isExpedited, shape, segment.number, client, request)
        condition.unlock()
    }

    /// With the lock held.
    private func takeAcceptor(_ pair: UInt64) -> (connection: Int32, request: RequestID, pair: UInt64) {
        while true {
            if let index = acceptors.firstIndex(where: { $0.pair == pair }) { return acceptors.remove(at: index) }
            condition.wait()
        }
    }

    /// Offers the next acceptor a flow over a link that it does not have any more: its peer has died, and irmd has not
    /// noticed yet.
    private func offerGhost(_ pair: UInt64) {
        condition.lock()
        defer { condition.unlock() }
        let acceptor = takeAcceptor(pair)
        let segment = try! SegmentMemory.create()
        let offer = FlowOffer(
            flow: FlowID(1_000_000), end: .second, quality: .raw, peer: ProcessID(getpid()), link: LinkID(99),
            slot: LinkSlot(0), linkEnd: .second, linkIsIncluded: false, isExpedited: false)
        try! MessageSocket.send(
            ManagerMessage.offer(acceptor.request, offer).encoded(), descriptors: [segment.number],
            on: acceptor.connection)
    }

    private func offer(
        _ flow: FlowID, _ end: End, _ quality: Vocabulary.QualityOfService, _ isExpedited: Bool, _ shape: FlowShape,
        _ segment: Int32, _ connection: Int32, _ request: RequestID
    ) -> Bool {
        guard let link = links[shape.link] else { return false }
        var offer = FlowOffer(
            flow: flow, end: end, quality: quality, peer: ProcessID(getpid()), link: LinkID(shape.link),
            slot: LinkSlot(flow.rawValue), linkEnd: end, linkIsIncluded: !link.isTaken[end.index],
            isExpedited: isExpedited, queueBytes: shape.queueBytes, messageBytes: shape.messageBytes,
            role: end == .first ? shape.client : shape.server)
        offer.parties = FlowParties(
            name: shape.name, user: UserID(1_000), group: GroupID(100), layer: LayerName("layer"),
            address: offer.role == .user ? Array("10.0.0.2:3435\u{1b}".utf8) : [])
        if offer.role == .user { offer.terms = shape.terms }
        let descriptors = link.isTaken[end.index] ? [segment] : [segment, link.memory, link.sockets[end.index]]
        let message = ManagerMessage.offer(request, offer).encoded()
        guard (try? MessageSocket.send(message, descriptors: descriptors, on: connection)) != nil else { return false }
        offered[connection] = (end, shape.link)
        return true
    }

    /// What the library says of an end when irmd asks; nil: it does not have that end.
    package func describe(_ flow: FlowID, _ end: End) -> FlowStatistics? {
        condition.lock()
        defer { condition.unlock() }
        questions += 1
        let question = RequestID(questions)
        send(.describeFlow(question, flow, end), session)
        while true {
            if let description = descriptions.removeValue(forKey: question) { return description }
            condition.wait()
        }
    }

    private func send(_ message: ManagerMessage, _ connection: Int32) {
        try? MessageSocket.send(message.encoded(), on: connection)
    }

    /// Waits until so many accepts are pending, apart from those of `flow`.
    package func waitForAcceptors(_ count: Int) {
        condition.withLock { while acceptors.count(where: { $0.pair == 0 }) != count { condition.wait() } }
    }

    private static let hour: UInt64 = 3_600_000_000_000
    private static let firstPair: UInt64 = 1_000

    /// Both ends of a new flow. Tests run side by side, so its accept is told from others: by a timeout of as many hours
    /// as is the number in the name that it belongs to.
    package func flow(
        _ quality: Vocabulary.QualityOfService = .raw, expedited: Bool = true, afterGhost: Bool = false,
        shape: FlowShape = FlowShape()
    ) throws -> (client: Int32, server: Int32) {
        let pair = condition.withLock {
            lastPair = max(lastPair + 1, TestBroker.firstPair)
            shapes[lastPair] = shape
            return lastPair
        }
        nonisolated(unsafe) var server: Int32 = -1
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            server = (try? ManagerCall.accept(timeout: TimeSpan(nanoseconds: pair * TestBroker.hour)).0) ?? -1
            done.signal()
        }
        let name = ServiceName("\(afterGhost ? "ghost" : expedited ? "expedited" : "fenced")#\(pair)")!
        let client = try ManagerCall.allocate(name, quality, timeout: TimeSpan(seconds: 30)).0
        done.wait()
        return (client, server)
    }
}

/// What two processes share to wake each other.
private struct BrokerLink {
    let memory: Int32
    let sockets: [Int32]
    /// An end's first offers bring the link along, until one of them is taken.
    var isTaken = [false, false]
}

/// What irmd decides of a flow.
package struct FlowShape: Sendable {
    var client: FlowRole
    var server: FlowRole
    var queueBytes: UInt32
    var messageBytes: UInt32
    /// What the flow is allocated to.
    var name: ServiceName?
    /// What the layer says to the end of a user.
    var terms: FlowTerms
    /// Flows of the same number share a link. Most tests share the first.
    var link: UInt32

    package init(
        client: FlowRole = .direct, server: FlowRole = .direct, queueBytes: Int = Limits.queueBytes,
        messageBytes: Int = Limits.messageBytes, terms: FlowTerms = .empty, link: UInt32 = 1
    ) {
        self.client = client
        self.server = server
        self.queueBytes = UInt32(queueBytes)
        self.messageBytes = UInt32(messageBytes)
        self.terms = terms
        self.link = link
    }
}
