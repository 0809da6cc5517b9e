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
        case FRCTSFLAGS:
            try FlowControl.setRetransmissionFlags(descriptor, UInt32(UInt16(truncatingIfNeeded: argument)))
        case FRCTGFLAGS:
            guard argument != 0 else { throw .invalid }
            try store(UInt16(truncatingIfNeeded: FlowControl.retransmissionFlags(descriptor)), argument)
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

/// EPERM when none is set.
private func store(_ timeout: TimeSpan?, _ argument: UInt) throws(Failure) {
    guard argument != 0 else { throw .invalid }
    guard let timeout else { throw .notPermitted }
    try store(timespec(Instant(nanoseconds: timeout.nanoseconds)), argument)
}
