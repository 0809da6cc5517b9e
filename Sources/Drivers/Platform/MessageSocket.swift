// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Messages with descriptors over a Unix SEQPACKET socket. Works on descriptor numbers; who owns them says so.
package enum MessageSocket {
    /// One message as it arrived. The descriptors belong to the receiver.
    package struct Arrival: ~Copyable {
        package let bytes: [UInt8]
        package private(set) var descriptors: [Int32]
        /// There were descriptors with it, and this process can open no more.
        package let lacksDescriptors: Bool

        fileprivate init(bytes: [UInt8], descriptors: [Int32], lacksDescriptors: Bool) {
            self.bytes = bytes
            self.descriptors = descriptors
            self.lacksDescriptors = lacksDescriptors
        }

        deinit { for descriptor in descriptors { cl_close(descriptor) } }

        /// Takes the first descriptor that was not taken yet; nil if there is none. What nobody takes is closed.
        package mutating func takeDescriptor() -> Descriptor? {
            descriptors.isEmpty ? nil : Descriptor(owning: descriptors.removeFirst())
        }
    }

    package static func connect(path: String) throws(Failure) -> Descriptor {
        let result = path.withCString { cl_connect($0) }
        guard result >= 0 else { throw Failure(result: Int(result)) }
        return Descriptor(owning: result)
    }

    /// As whom the process listened that this socket is connected to; nil if the kernel does not say.
    package static func listener(of socket: Int32) -> UserID? {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
        return cl_peer(socket, &process, &user, &group) == 0 ? UserID(user) : nil
    }

    /// Waits for room unless `nonBlocking`, then `.wouldBlock`.
    package static func send(
        _ bytes: [UInt8], descriptors: [Int32] = [], on socket: Int32, nonBlocking: Bool = false
    ) throws(Failure) {
        let flags = nonBlocking ? Int32(MSG_DONTWAIT) : 0
        let result = cl_send_message(socket, bytes, bytes.count, descriptors, Int32(descriptors.count), flags)
        guard result >= 0 else { throw Failure(result: result) }
    }

    /// Nil at the end of the connection. A message that has lost its descriptors is `.tooManyDescriptors`, unless
    /// `incomplete`: who serves many must know whose it was. A cancellation point when it waits.
    package static func receive(
        on socket: Int32, nonBlocking: Bool = false, incomplete: Bool = false
    ) throws(Failure) -> Arrival? {
        // Whoever looks again and again for a message that is not there yet shall not ask for memory each time.
        var capacity = Limits.localMessageBytes
        if nonBlocking {
            let next = cl_next_message(socket)
            if next == -Int(EAGAIN) { throw .wouldBlock }
            if next >= 0 { capacity = min(next, capacity) }
        }
        let flags = nonBlocking ? Int32(MSG_DONTWAIT) : 0
        var descriptors: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)
        var count: Int32 = 0
        var result = 0
        // Not on the stack: threads of programs may have little.
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, length in
            result = withUnsafeMutableBytes(of: &descriptors) { places in
                cl_receive_message(
                    socket, buffer.baseAddress, buffer.count, places.baseAddress?.assumingMemoryBound(to: Int32.self),
                    &count, flags)
            }
            length = max(result, 0)
        }
        guard result >= 0 else { throw Failure(result: result) }
        if result == 0 && count == 0 { return nil }
        if count < 0, !incomplete { throw .tooManyDescriptors }
        let all = [descriptors.0, descriptors.1, descriptors.2, descriptors.3]
        return Arrival(
            bytes: bytes, descriptors: Array(all.prefix(Int(max(count, 0)))), lacksDescriptors: count < 0)
    }
}
