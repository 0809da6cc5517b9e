// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import FlowRuntime
import Vocabulary

// `ouroboros/facceptor.h`. What each function does and returns is said there.
// A `facceptor_t *` is a retained FlowAcceptor.

private func acceptor(_ pointer: OpaquePointer) -> FlowAcceptor {
    Unmanaged<FlowAcceptor>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
}

/// A new acceptor; NULL if there are too many.
@c(facceptor_create)
public func facceptorCreate() -> OpaquePointer? {
    FlowAcceptors.create().map { OpaquePointer(Unmanaged.passRetained($0).toOpaque()) }
}

/// Takes the request back and frees the acceptor.
@c(facceptor_destroy)
public func facceptorDestroy(_ pointer: OpaquePointer?) {
    guard let pointer else { return }
    FlowAcceptors.destroy(acceptor(pointer))
    Unmanaged<FlowAcceptor>.fromOpaque(UnsafeRawPointer(pointer)).release()
}

/// A descriptor that is readable when there may be a flow to take.
@c(facceptor_pollfd)
public func facceptorPollDescriptor(_ pointer: OpaquePointer?) -> Int32 {
    guard let pointer else { return negative(.invalid) }
    do throws(Failure) {
        return try FlowAcceptors.pollDescriptor(acceptor(pointer))
    } catch {
        return negative(error)
    }
}

/// Takes the next flow, without waiting.
@c(facceptor_take)
public func facceptorTake(_ pointer: OpaquePointer?, _ quality: UnsafeMutablePointer<qosspec_t>?) -> Int32 {
    opened { () throws(Refusal) in
        guard let pointer else { throw Refusal(.invalid) }
        guard let (descriptor, granted) = try FlowAcceptors.take(acceptor(pointer)) else { return nil }
        quality?.pointee = granted.c
        return descriptor
    }
}

/// Accepts nothing until it is asked again.
@c(facceptor_pause)
public func facceptorPause(_ pointer: OpaquePointer?) {
    guard let pointer else { return }
    FlowAcceptors.pause(acceptor(pointer))
}
