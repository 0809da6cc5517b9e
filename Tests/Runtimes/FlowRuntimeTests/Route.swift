// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import Dispatch
import FlowProtocol
import Foundation
import LocalProtocol
import Synchronization
import Vocabulary

@testable import FlowRuntime

/// A flow between two hosts, in one process: two flows whose IPCPs are played by a thread that carries packets from one to the
/// other, and loses and doubles some.
final class Route: Sendable {
    let first: Pair
    let second: Pair
    private let faults: Mutex<Faults>
    private let isOver = Atomic(false)
    private let done = DispatchSemaphore(value: 0)

    struct Faults: Sendable {
        /// The share of packets that are lost, in thousandths.
        var loss: UInt64 = 0
        var duplication: UInt64 = 0
        /// Nothing is carried.
        var isCut = false
        var random = RandomSource(seed: 1)
    }

    init(
        _ broker: TestBroker, _ quality: Vocabulary.QualityOfService = .data, faults: Faults = Faults(),
        firstRoom: UInt32 = 1 << 20, isProfile0: Bool = false
    ) throws {
        let ends = [UInt32(0xffff_fff0), 0x00ff_fff8].map { number in
            EndProperties(
                acknowledgementDelayMilliseconds: 5, firstSequence: SequenceNumber(number), credit: 32_768,
                firstRoomBytes: firstRoom, longestMessageBytes: 1 << 24, largestPacketBytes: 8_976)
        }
        let agreements: [FlowAgreement] =
            isProfile0
            ? [.profile0, .profile0]
            : [.profile1(own: ends[0], peer: ends[1]), .profile1(own: ends[1], peer: ends[0])]
        first = try Route.pair(broker, quality, agreements[0])
        second = try Route.pair(broker, quality, agreements[1])
        self.faults = Mutex(faults)
        Thread.detachNewThread { [self] in carry() }
    }

    private static func pair(
        _ broker: TestBroker, _ quality: Vocabulary.QualityOfService, _ agreement: FlowAgreement
    ) throws -> Pair {
        let terms = FlowTerms(packetLifetime: TimeSpan(milliseconds: 50), items: agreement.items)
        return try Pair(broker, quality, messageBytes: 8_976, terms: terms)
    }

    func change(_ body: (inout Faults) -> Void) { faults.withLock { body(&$0) } }

    func close() {
        isOver.store(true, ordering: .relaxed)
        done.wait()
        first.close()
        second.close()
    }

    private func carry() {
        while !isOver.load(ordering: .relaxed) {
            let count = move(from: first, to: second) + move(from: second, to: first)
            if count == 0 { usleep(50) }
        }
        done.signal()
    }

    private func move(from source: Pair, to destination: Pair) -> Int {
        guard let packets = try? source.drain(64), !packets.isEmpty else { return 0 }
        for packet in packets {
            let times = faults.withLock { faults -> Int in
                if faults.isCut || faults.random.next() % 1_000 < faults.loss { return 0 }
                return faults.random.next() % 1_000 < faults.duplication ? 2 : 1
            }
            for _ in 0..<times { _ = destination.deliver(packet) }
        }
        try? ProviderFlow.consume(source.provider, packets.count)
        ProviderFlow.wake(destination.provider)
        return packets.count
    }
}
