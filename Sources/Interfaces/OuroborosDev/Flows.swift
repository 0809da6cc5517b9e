// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import FlowRuntime
import Vocabulary

// `ouroboros/dev.h`. What each function does and returns is said there. spec: c-api §5

/// Bit errors are not checked for in default builds, so nobody may ask for none; and where nothing may be lost, all is
/// in order. The caller sees what is asked for. spec: c-api §5.1
private func request(_ quality: UnsafeMutablePointer<qosspec_t>?) -> QualityOfService {
    guard let quality else { return .raw }
    quality.pointee.ber = 1
    if quality.pointee.loss == 0 { quality.pointee.in_order = 1 }
    return QualityOfService(quality.pointee)
}

/// What a request for a flow returns, and keeps why it failed for `flow_last_error`. Nil: there is none yet, which is no
/// failure.
func opened(_ request: () throws(Refusal) -> Int32?) -> Int32 {
    do throws(Refusal) {
        let descriptor = try request()
        cl_set_last_reason("")
        return descriptor ?? negative(.wouldBlock)
    } catch {
        cl_set_last_reason(error.description)
        return negative(error.failure)
    }
}

/// What is wrong with the arguments of such a request.
private func checked<Value>(_ body: () throws(Failure) -> Value) throws(Refusal) -> Value {
    do throws(Failure) {
        return try body()
    } catch {
        throw Refusal(error)
    }
}

/// Why the last request for a flow of this thread failed.
@c(flow_last_error)
public func flowLastError() -> UnsafePointer<CChar> { cl_last_reason() }

/// Allocates a flow to a name and waits until its server has accepted it.
@c(flow_alloc)
public func flowAlloc(
    _ name: UnsafePointer<CChar>?, _ quality: UnsafeMutablePointer<qosspec_t>?, _ timeout: UnsafePointer<timespec>?
) -> Int32 {
    opened { () throws(Refusal) in
        let (name, timeout) = try checked { () throws(Failure) in
            guard let name else { throw .invalid }
            let timeout = try timeSpan(timeout)
            return (try OuroborosDev.name(name) as ServiceName, timeout)
        }
        let (descriptor, granted) = try ManagerCall.allocate(name, request(quality), timeout: timeout)
        quality?.pointee = granted.c
        return descriptor
    }
}

/// Waits for the next flow to a name that this process is bound to.
@c(flow_accept)
public func flowAccept(
    _ quality: UnsafeMutablePointer<qosspec_t>?, _ timeout: UnsafePointer<timespec>?
) -> Int32 {
    opened { () throws(Refusal) in
        let timeout = try checked { () throws(Failure) in try timeSpan(timeout) }
        _ = request(quality)
        let (descriptor, granted) = try ManagerCall.accept(timeout: timeout)
        quality?.pointee = granted.c
        return descriptor
    }
}

/// Joins a broadcast layer.
@c(flow_join)
public func flowJoin(_ layer: UnsafePointer<CChar>?, _ timeout: UnsafePointer<timespec>?) -> Int32 {
    opened { () throws(Refusal) in
        let (name, timeout) = try checked { () throws(Failure) in
            guard let layer else { throw .invalid }
            // What cannot be the name of a layer is none. spec: c-api §5.4
            guard let name: LayerName = try? OuroborosDev.name(layer) else { throw .ipcp }
            return (name, try timeSpan(timeout))
        }
        return try ManagerCall.join(name, timeout: timeout).0
    }
}

/// Lets go of a flow.
@c(flow_dealloc)
public func flowDealloc(_ descriptor: Int32) -> Int32 {
    do throws(Failure) {
        try FlowControl.deallocate(descriptor)
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
