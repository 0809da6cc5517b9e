// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// What went wrong on a socket, until its owner asks. Errors that come back from the network stand in a queue of the
/// socket; as long as one does, the socket is reported as ready.
final class DatagramErrors {
    private let descriptor: Int32
    private let troubles = KernelArray(repeating: PacketTroubles(), count: 1)
    /// So many are taken at once. More cannot keep us: they come as fast as somebody sends them.
    private static let batch = 256

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func add(_ trouble: PacketTrouble, _ count: Int = 1) { troubles[0].add(trouble, count) }

    func take() -> PacketTroubles {
        let taken = troubles[0]
        if !taken.isEmpty { troubles[0] = PacketTroubles() }
        return taken
    }

    /// Empties the queue. False if nothing in it came from the network.
    func collect() -> Bool {
        var heard = false
        for _ in 0..<DatagramErrors.batch {
            var isOurs = false
            let error = cl_datagram_error(descriptor, &isOurs)
            guard error > 0 else { break }
            if isOurs { continue }
            add(PacketTrouble(errno: error))
            heard = true
        }
        return heard
    }
}
