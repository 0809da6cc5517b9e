// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import Testing
import Vocabulary

@testable import Ouroboros

@Suite(.timeLimit(.minutes(5)), .serialized) struct RequestTests {
    let broker = TestBroker.shared

    @Test func flowsAreAllocatedAndAcceptedWithoutAThread() async throws {
        let listener = FlowListener()
        let server = Task {
            var count = 0
            for try await flow in listener.flows {
                for try await packet in flow.packets { try await flow.send(packet) }
                count += 1
                if count == 3 { break }
            }
        }
        for round in 0..<3 {
            let reply = try await withFlow(to: "expedited") { flow in
                try await flow.send([UInt8(round)])
                return try await flow.receive()
            }
            #expect(reply == [UInt8(round)])
        }
        try await server.value
    }

    @Test func flowsAreAllocatedAndAcceptedByThreads() async throws {
        async let request = onThread {
            let flow = try FlowListener().accept(deadline: .after(.seconds(60)))
            let request = try flow.read()
            try flow.write(request + [2])
            return request
        }
        let reply = try await onThread {
            try withFlow(to: "expedited", quality: .data) { flow in
                #expect(flow.quality.inOrder && flow.quality.loss == 0)
                try flow.write([1])
                return try flow.read()
            }
        }
        #expect(reply == [1, 2])
        let received = try await request
        #expect(received == [1])
    }

    @Test func aScopeClosesItsFlowAlsoWhenItThrows() async throws {
        struct Stop: Error {}
        async let accepted = FlowListener().accept()
        await #expect(throws: Stop.self) {
            try await withFlow(to: "expedited") { flow in
                try await flow.send([1])
                throw Stop()
            }
        }
        let server = try await accepted
        #expect(try await server.receive() == [1])
        await #expect(throws: OuroborosError(.flowDown)) { try await server.receive() }
    }

    @Test func aCancelledAcceptTakesItsRequestBack() async throws {
        let cancelled = Task { try await FlowListener().accept() }
        try await onThread { broker.waitForAcceptors(1) }
        cancelled.cancel()
        #expect(await expectCancelled(cancelled))
        try await onThread { broker.waitForAcceptors(0) }
        async let accepted = FlowListener().accept()
        let client = try await Flow.open(to: "expedited")
        let server = try await accepted
        try await client.send([5])
        #expect(try await server.receive() == [5])
    }

    @Test func aListenerThatIsClosedEndsItsLoop() async throws {
        let listener = FlowListener()
        let loop = Task { for try await _ in listener.flows {} }
        try await onThread { broker.waitForAcceptors(1) }
        listener.close()
        try await loop.value
        await #expect(throws: OuroborosError(.notAllocated)) { try await listener.accept() }
        try await onThread { broker.waitForAcceptors(0) }
    }

    @Test func whatCannotBeANameIsNone() async throws {
        for name in ["", String(repeating: "n", count: 256), "a\0b"] {
            await #expect(throws: OuroborosError(.name)) { try await Flow.open(to: name) }
            await #expect(throws: OuroborosError(.ipcp)) { try await Flow.join(layer: name) }
        }
    }

    @Test func aRefusalSaysWhyInTheWordsOfIrmd() async throws {
        let error = OuroborosError(.ipcp, reason: "/bin/x ended with status 127 before it accepted\\x07 a flow.")
        await #expect(throws: error) { try await Flow.open(to: "refused") }
        try await onThread { _ = #expect(throws: error) { try Flow.open(to: "refused", deadline: .never) } }
        #expect(error.description == error.reason)
    }

    @Test func bothEndsKnowTheNameAndThePeer() async throws {
        async let accepted = FlowListener().accept()
        let client = try await Flow.open(to: "expedited")
        let server = try await accepted
        for flow in [client, server] {
            #expect(try flow.name == "expedited")
            let peer = try flow.peer
            #expect(peer.local == FlowPeer.LocalProcess(process: .current, user: 1_000, group: 100))
            #expect(peer.layer == "layer" && peer.host == nil)
        }
        client.close()
        #expect(throws: OuroborosError(.notAllocated)) { try client.peer }
        #expect(throws: OuroborosError(.notAllocated)) { try client.name }
        #expect(try server.name == "expedited")
    }

    @Test func aPeerOnAnotherHostHasAnAddressAndNoProcess() throws {
        let (user, provider) = try broker.flow(shape: FlowShape(client: .user, server: .provider))
        let flow = Flow(adopting: user, .raw)
        #expect(try flow.peer.local == nil)
        #expect(try flow.peer.host == "10.0.0.2:3435\\x1b")
        // An IPCP has no use for it.
        let other = Flow(adopting: provider, .raw)
        #expect(throws: OuroborosError(.notAllocated)) { try other.peer }
    }
}
