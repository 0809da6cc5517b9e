// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory

/// The reading side of a ring whose writer is hostile.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    var input = Input(bytes, count)
    let hostile = HostileRing()
    var ring = hostile.ring
    var consumer = RingConsumer()
    var sum: UInt8 = 0
    while !input.isEmpty {
        let choice = input.byte()
        do throws(RingFailure) {
            switch choice & 7 {
            case 0: _ = try consumer.isEmpty(ring)
            case 1:
                let unread = try consumer.unreadBytes(ring)
                precondition(unread <= ring.size * 2)
            case 2: precondition(consumer.queued(ring) <= ring.size / Ring.alignment)
            case 3, 4, 5:
                guard let record = try consumer.front(&ring) else { continue }
                precondition(record.count <= Int(ring.size))
                // All of it, as `flow_read` does; the writer may change it meanwhile.
                for index in 0..<record.count { sum &+= record.payload.load(fromByteOffset: index, as: UInt8.self) }
                if choice & 8 == 0 { hostile.disturb(with: &input) }
                if choice & 16 == 0 { consumer.consume(record.count, of: ring) }
            case 6: consumer.recover(ring)
            default: hostile.disturb(with: &input)
            }
        } catch {
            // The flow is down; what is read again stays refused or is inside all the same.
            continue
        }
    }
    precondition(hostile.ring.size == ring.size, "\(sum)")
    return 0
}
