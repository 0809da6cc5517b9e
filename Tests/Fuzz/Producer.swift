// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowMemory

private let payload = [UInt8](repeating: 0x5a, count: HostileRing.size)

/// The writing side of a ring whose reader is hostile.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    var input = Input(bytes, count)
    let hostile = HostileRing()
    var ring = hostile.ring
    var producer = RingProducer()
    let queueBytes = UInt64(HostileRing.size / 4)
    while !input.isEmpty {
        let choice = input.byte()
        // At most what FlowTransmit lets pass: half a ring less the header.
        let size = Int(input.byte()) * 256 + Int(choice) & (HostileRing.size / 2 - 1)
        let length = min(choice & 64 == 0 ? size & 255 : size, HostileRing.size / 2 - 8)
        switch choice & 7 {
        case 0, 1, 2, 3:
            guard case .place(let start) = producer.reserve(length, in: &ring, queueBytes: queueBytes) else { break }
            memcpy(producer.payload(start, in: ring), payload, length)
            producer.publish(start, choice & 3 == 0 ? length / 2 : length, in: ring)
        case 4: _ = producer.hasRoom(length, in: ring, queueBytes: queueBytes)
        case 5:
            if choice & 32 == 0 { _ = producer.trim(&ring) } else { producer.recover(ring) }
        case 6: precondition(producer.unread(ring) <= ring.size / Ring.alignment)
        default: hostile.disturb(with: &input)
        }
    }
    return 0
}
