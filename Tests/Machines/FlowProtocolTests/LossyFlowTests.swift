// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Testing
import Vocabulary

/// What an end does when packets are missing for good, and when it has ended.
@Suite struct LossyFlowTests {
    private final class End {
        var machine: FRCPEnd
        var sent = [SentPacket](repeating: SentPacket(), count: 512)
        var arrived = [ArrivedPacket](repeating: ArrivedPacket(), count: 512)
        var now: UInt64 = 1_000_000_000
        let first = SequenceNumber(100)
        let peersFirst = SequenceNumber(0xffff_fffe)

        init(isReliable: Bool, timeout: UInt64 = 0) {
            machine = FRCPEnd(
                transmitter: Transmitter(
                    first: first, isReliable: isReliable, controlsRate: true, credit: 256, room: 65_536, payload: 1_400,
                    longestMessage: 1_400, peersDelay: 5_000_000),
                receiver: Receiver(
                    first: peersFirst, isReliable: isReliable, credit: 256, bound: 65_536, longestMessage: 1_400,
                    delay: 5_000_000, gapPatience: 10_000_000),
                settings: FRCPEnd.Settings(timeout: timeout, lifetime: 1_000_000_000), now: now)
        }

        /// A packet of the peer: data if it has a length, else a control packet.
        func arrive(_ number: Int, length: Int, asks: Bool = false, fragment: FRCPHeader.Flags = []) {
            var header = FRCPHeader(
                flags: fragment.union([.acknowledges, .credits]), edge: (first + 64).rawValue,
                sequence: peersFirst + number,
                acknowledged: first)
            if length > 0 { header.flags.insert(.data) }
            if asks { header.flags.insert(.rendezvous) }
            var sent = self.sent.mutableSpan
            var arrived = self.arrived.mutableSpan
            _ = machine.arrived(
                header, length: length, frame: length > 0 ? nil : Acknowledgement(), capacity: 1 << 20, arrival: now,
                now: now, &sent, &arrived)
        }

        func write(_ length: Int) {
            var table = sent.mutableSpan
            _ = machine.admit(length, bound: 20_000, &table)
        }

        func close() {
            var table = arrived.mutableSpan
            machine.close(lingers: true, now: now, &table)
        }

        /// The headers of all that goes.
        func depart() -> [FRCPHeader] {
            var sent = self.sent.mutableSpan
            var arrived = self.arrived.mutableSpan
            var headers: [FRCPHeader] = []
            while let departure = machine.depart(now: now, &sent, &arrived) {
                switch departure {
                case .bare(let header), .control(let header), .data(let header, _, _): headers.append(header)
                case .empty: break
                }
            }
            return headers
        }

        func expire(at time: UInt64) {
            now = time
            var sent = self.sent.mutableSpan
            var arrived = self.arrived.mutableSpan
            machine.expire(now: now, &sent, &arrived)
        }

        func deadline() -> UInt64? {
            var table = sent.mutableSpan
            return machine.deadline(&table)
        }
    }

    @Test("the peer of a lossy flow cannot pass the end of the flow, because no control packet says that it was sent")
    func theEndIsNotPassed() {
        for isReliable in [true, false] {
            let end = End(isReliable: isReliable)
            end.write(100)
            end.close()
            let last = end.depart().last
            #expect(last?.flags.contains([.data, .end]) == true)
            #expect(last?.sequence == end.first + 1)
            end.arrive(0, length: 0, asks: true)
            let control = end.depart().last
            #expect(control?.flags.isDisjoint(with: [.data, .end]) == true)
            #expect(control?.sequence == end.first + (isReliable ? 2 : 1))
        }
    }

    @Test("a missing packet of a lossy flow is awaited for as long as it is missing, not as another was")
    func eachGapHasItsTime() {
        let end = End(isReliable: false)
        let start = end.now
        end.arrive(1, length: 10)
        end.now = start + 9_000_000
        end.arrive(3, length: 10)
        end.arrive(0, length: 10)
        end.expire(at: start + 10_000_000)
        #expect(end.machine.receiver.want == 2)
        end.expire(at: start + 18_999_999)
        #expect(end.machine.receiver.want == 2)
        end.expire(at: start + 21_500_000)
        #expect(end.machine.receiver.want == 4)
    }

    @Test("packets of a lossy flow that are missing at the same time are passed at the same time")
    func gapsAreNotAwaitedOneAfterTheOther() {
        let end = End(isReliable: false)
        let start = end.now
        for number in [1, 3, 5, 7, 9] {
            end.arrive(number, length: 10)
            end.now += 1_000
        }
        end.expire(at: start + 10_000_000)
        #expect(end.machine.receiver.want == 2)
        end.expire(at: start + 12_500_000)
        #expect(end.machine.receiver.want == 10)
        #expect(end.machine.receiver.messages == 5)
    }

    @Test("what comes after the program has let go takes no place, also if something is missing")
    func discardedPacketsTakeNoPlace() {
        let end = End(isReliable: true)
        for number in [0, 2, 3, 5] { end.arrive(number, length: 10) }
        end.close()
        end.arrive(1, length: 10)
        #expect(end.machine.receiver.want == 4)
        #expect(end.machine.receiver.read == 4)
    }

    @Test("an end whose peer was silent for too long has no deadline that has passed")
    func silenceEndsTheWork() {
        let end = End(isReliable: true, timeout: 1_000_000_000)
        end.arrive(0, length: 10)
        end.expire(at: end.now + 1_000_000_000)
        #expect(end.machine.failure == .silent)
        #expect(end.depart().isEmpty)
        #expect((end.deadline() ?? .max) > end.now)
    }

    @Test("a control packet that names a number without a place in the table does no harm")
    func farNumbersTakeNoPlace() {
        let end = End(isReliable: false)
        end.arrived = Array(end.arrived.prefix(256))
        for number in 0..<100 { end.arrive(number, length: 10) }
        end.arrive(100 + 256, length: 0)
        end.expire(at: end.now + 20_000_000)
        #expect(end.machine.receiver.contradiction(in: end.arrived.mutableSpan) == nil)
        #expect(end.machine.receiver.messages == 100)
    }

    @Test("a message with a fragment that is too short is never read; a lossy flow goes on, a reliable one does not")
    func shortFragments() {
        for isReliable in [true, false] {
            let end = End(isReliable: isReliable)
            end.arrive(1, length: 10, fragment: .last)
            end.arrive(2, length: 10)
            end.arrive(0, length: 4, fragment: .first)
            #expect(end.machine.receiver.messages == (isReliable ? 0 : 1))
            #expect(end.machine.cause == (isReliable ? .brokenMessages : .none))
            #expect(end.machine.receiver.contradiction(in: end.arrived.mutableSpan) == nil)
        }
    }
}
