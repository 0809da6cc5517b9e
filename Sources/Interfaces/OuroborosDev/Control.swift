// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import COuroborosDev
import FlowRuntime
import Vocabulary

/// `fccntl`, behind the variadic part. spec: c-api §6
@c(ouroboros_dev_control)
public func control(_ descriptor: Int32, _ command: Int32, _ argument: UInt) -> Int32 {
    do throws(Failure) {
        // Errors of the descriptor come before those of the command.
        let flags = try FlowControl.flags(descriptor)
        switch command {
        case FLOWSRCVTIMEO: try FlowControl.setTimeout(descriptor, .receive, try timeSpan(pointer(argument)))
        case FLOWGRCVTIMEO: try store(FlowControl.timeout(descriptor, .receive), argument)
        case FLOWSSNDTIMEO: try FlowControl.setTimeout(descriptor, .send, try timeSpan(pointer(argument)))
        case FLOWGSNDTIMEO: try store(FlowControl.timeout(descriptor, .send), argument)
        case FLOWGQOSSPEC: try store(FlowControl.quality(descriptor).c, argument)
        case FLOWSFLAGS: try FlowControl.setFlags(descriptor, UInt32(truncatingIfNeeded: argument))
        case FLOWGFLAGS: try store(flags, argument)
        case FLOWGRXQLEN: try store(FlowControl.receiveQueueLength(descriptor), argument)
        case FLOWGTXQLEN: try store(FlowControl.sendQueueLength(descriptor), argument)
        case FLOWGMAXMSG: try store(FlowControl.longestMessage(descriptor), argument)
        case FRCTSFLAGS:
            try FlowControl.setRetransmissionFlags(descriptor, UInt32(UInt16(truncatingIfNeeded: argument)))
        case FRCTGFLAGS:
            guard argument != 0 else { throw .invalid }
            try store(UInt16(truncatingIfNeeded: FlowControl.retransmissionFlags(descriptor)), argument)
        case FLOWGNAME:
            guard argument != 0 else { throw .invalid }
            let name = try FlowControl.peer(descriptor).name?.bytes ?? []
            store(name, UnsafeMutableRawPointer(bitPattern: argument), size: Int(FLOW_NAME_SIZE))
        case FLOWGPEER: try store(flow_peer(try FlowControl.peer(descriptor)), argument)
        default: throw .notSupported
        }
        return 0
    } catch {
        return negative(error)
    }
}

private func pointer(_ argument: UInt) -> UnsafePointer<timespec>? { UnsafePointer(bitPattern: argument) }

private func store<Value>(_ value: Value, _ argument: UInt) throws(Failure) {
    guard let place = UnsafeMutablePointer<Value>(bitPattern: argument) else { throw .invalid }
    place.pointee = value
}

/// A string of C, cut to what fits before its NUL.
private func store(_ bytes: [UInt8], _ place: UnsafeMutableRawPointer?, size: Int) {
    guard let place else { return }
    let count = min(bytes.count, size - 1)
    UnsafeMutableRawBufferPointer(start: place, count: size).copyBytes(from: bytes.prefix(count))
    place.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
}

extension flow_peer {
    fileprivate init(_ peer: FlowPeer) {
        self.init()
        is_remote = peer.local == nil ? 1 : 0
        pid = peer.local?.process.rawValue ?? -1
        uid = peer.local?.user.rawValue ?? .max
        gid = peer.local?.group.rawValue ?? .max
        let layerName = peer.layer?.bytes ?? []
        withUnsafeMutableBytes(of: &layer) { store(layerName, $0.baseAddress, size: $0.count) }
        withUnsafeMutableBytes(of: &host) { store(peer.address, $0.baseAddress, size: $0.count) }
    }
}

/// EPERM when none is set.
private func store(_ timeout: TimeSpan?, _ argument: UInt) throws(Failure) {
    guard argument != 0 else { throw .invalid }
    guard let timeout else { throw .notPermitted }
    try store(timespec(Instant(nanoseconds: timeout.nanoseconds)), argument)
}
