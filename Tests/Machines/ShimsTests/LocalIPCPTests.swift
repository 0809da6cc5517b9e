// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import IPCP
import LocalProtocol
import Testing
import Vocabulary

@testable import Shims

@Suite struct LocalIPCPTests {
    private var ipcp = LocalIPCP()
    private let hash = [UInt8](1...28)

    private func configuration(_ hash: DirectoryHash = .sha3x224) throws -> LayerConfiguration {
        LayerConfiguration(layer: try #require(LayerName("layer")), hash: hash, parameters: .local)
    }

    private mutating func ask(_ request: IPCPRequest) -> [IPCPAction<NoLowerSide>] {
        var actions: [IPCPAction<NoLowerSide>] = []
        ipcp.handle(.request(request), now: Instant(nanoseconds: 0), into: &actions)
        return actions
    }

    private mutating func failure(_ request: IPCPRequest) -> Failure? {
        for case .reply(.failed(_, let failure, _)) in ask(request) { return failure }
        return nil
    }

    @Test("it is bootstrapped once, and says with what")
    mutating func bootstrap() throws {
        let actions = ask(.bootstrap(RequestID(1), try configuration(.sha3x256)))
        #expect(actions.last == .reply(.succeeded(RequestID(1))))
        let texts = actions.compactMap { if case .report(let report) = $0 { report.text } else { nil } }
        #expect(
            texts == [
                "Bootstrapping...", "Finished bootstrapping in layer.", "  type: local", "  hash: SHA3-256 [32 bytes]",
            ])
        #expect(failure(.bootstrap(RequestID(2), try configuration())) == .ipcpState)
    }

    @Test("another type or hash is refused, and bootstrapping can be tried again")
    mutating func refusals() throws {
        var other = try configuration()
        other.parameters = .broadcast
        #expect(failure(.bootstrap(RequestID(1), other)) == .ipcpType)
        #expect(failure(.bootstrap(RequestID(1), try configuration(.md5))) == .invalid)
        #expect(failure(.register(RequestID(1), hash: hash)) == .ipcpState)
        #expect(failure(.enroll(RequestID(1), destination: try #require(ServiceName("x")))) == .notSupported)
        #expect(failure(.bootstrap(RequestID(1), try configuration())) == nil)
    }

    @Test("a registered name is known until it is unregistered")
    mutating func names() throws {
        _ = ask(.bootstrap(RequestID(1), try configuration()))
        #expect(failure(.query(RequestID(2), hash: hash)) == .name)
        #expect(
            ask(.register(RequestID(3), hash: hash)) == [
                .report(.registering(hash: hash)), .report(.registered(hash: hash)), .reply(.succeeded(RequestID(3))),
            ])
        #expect(ask(.query(RequestID(4), hash: hash)) == [.reply(.succeeded(RequestID(4)))])
        #expect(failure(.register(RequestID(5), hash: [1])) == .invalid)
        #expect(failure(.unregister(RequestID(6), hash: hash)) == nil)
        #expect(failure(.unregister(RequestID(7), hash: hash)) == .name)
        #expect(failure(.query(RequestID(8), hash: hash)) == .name)
    }

    @Test("flows are counted with descriptors from 64, lowest first, as in the tutorial")
    mutating func flows() {
        let hash: [UInt8] = [0x53, 0x89, 0xe8, 0xf1, 0]
        func texts(_ actions: [IPCPAction<NoLowerSide>]) -> [String] {
            actions.compactMap { if case .report(let report) = $0 { report.text } else { nil } }
        }
        #expect(texts(ask(.flowRequested(FlowID(1), hash: hash))) == ["Allocating flow to 5389e8f1 on fd 64."])
        #expect(texts(ask(.flowAllocated(FlowID(1)))) == ["Flow allocation completed, fds (64, 65)."])
        #expect(texts(ask(.flowRequested(FlowID(2), hash: hash))) == ["Allocating flow to 5389e8f1 on fd 66."])
        #expect(texts(ask(.flowEnded(FlowID(1)))) == ["Flow ended, fds (64, 65)."])
        #expect(texts(ask(.flowAllocated(FlowID(2)))) == ["Flow allocation completed, fds (66, 64)."])
        #expect(texts(ask(.flowRequested(FlowID(3), hash: hash))) == ["Allocating flow to 5389e8f1 on fd 65."])
        #expect(texts(ask(.flowEnded(FlowID(3)))) == ["Flow not allocated, fd 65."])
        // Of flows that it does not know, and twice.
        #expect(ask(.flowEnded(FlowID(3))) == [])
        #expect(ask(.flowAllocated(FlowID(2))) == [])
        #expect(ask(.flowRequested(FlowID(2), hash: hash)) == [])
        var actions: [IPCPAction<NoLowerSide>] = []
        ipcp.handle(.timeout, now: Instant(nanoseconds: 0), into: &actions)
        #expect(actions.isEmpty && ipcp.deadline == nil)
    }
}
