// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import FlowRuntime
import Vocabulary

// `ouroboros/dev.h`. What each function does and returns is said there. spec: c-api §5

/// Bit errors are not checked for in default builds, so nobody may ask for none. spec: c-api §5.1
private func request(_ quality: UnsafeMutablePointer<qosspec_t>?) -> QualityOfService {
    guard let quality else { return .raw }
    quality.pointee.ber = 1
    return QualityOfService(quality.pointee)
}

/// Allocates a flow to a name and waits until its server has accepted it.
@c(flow_alloc)
public func flowAlloc(
    _ name: UnsafePointer<CChar>?, _ quality: UnsafeMutablePointer<qosspec_t>?, _ timeout: UnsafePointer<timespec>?
) -> Int32 {
    guard let name else { return negative(.invalid) }
    do throws(Failure) {
        let timeout = try timeSpan(timeout)
        let (descriptor, granted) = try ManagerCall.allocate(
            try OuroborosDev.name(name), request(quality), timeout: timeout)
        quality?.pointee = granted.c
        return descriptor
    } catch {
        return negative(error)
    }
}

/// Waits for the next flow to a name that this process is bound to.
@c(flow_accept)
public func flowAccept(
    _ quality: UnsafeMutablePointer<qosspec_t>?, _ timeout: UnsafePointer<timespec>?
) -> Int32 {
    do throws(Failure) {
        let timeout = try timeSpan(timeout)
        _ = request(quality)
        let (descriptor, granted) = try ManagerCall.accept(timeout: timeout)
        quality?.pointee = granted.c
        return descriptor
    } catch {
        return negative(error)
    }
}

/// Joins a broadcast layer.
@c(flow_join)
public func flowJoin(_ layer: UnsafePointer<CChar>?, _ timeout: UnsafePointer<timespec>?) -> Int32 {
    guard let layer else { return negative(.invalid) }
    do throws(Failure) {
        // What cannot be the name of a layer is none. spec: c-api §5.4
        guard let name: LayerName = try? OuroborosDev.name(layer) else { throw .ipcp }
        return try ManagerCall.join(name, timeout: try timeSpan(timeout)).0
    } catch {
        return negative(error)
    }
}

/// Lets go of a flow.
@c(flow_dealloc)
public func flowDealloc(_ descriptor: Int32) -> Int32 {
    do throws(Failure) {
        try Attachment.deallocate(descriptor)
        return 0
    } catch {
        return negative(error)
    }
}

/// Writes one message.
@c(flow_write)
public func flowWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    do throws(Failure) {
        return try FlowTransmit.write(descriptor, buffer, count: count)
    } catch {
        return Int(negative(error))
    }
}

/// Reads one message, or the next piece of it.
@c(flow_read)
public func flowRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    do throws(Failure) {
        return try FlowReceive.read(descriptor, into: buffer, count: count)
    } catch {
        return Int(negative(error))
    }
}
