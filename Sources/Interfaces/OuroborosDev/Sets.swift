// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import FlowRuntime
import Vocabulary

// `ouroboros/fqueue.h`. What each function does and returns is said there. spec: c-api §7
// A `fset_t *` is a retained FlowSet, a `fqueue_t *` a retained EventQueue.

private func set(_ pointer: OpaquePointer) -> FlowSet {
    Unmanaged<FlowSet>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
}

private func queue(_ pointer: OpaquePointer) -> EventQueue {
    Unmanaged<EventQueue>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
}

/// For what a program calls for each packet: the queue is not retained meanwhile.
private func withQueue<Result>(_ pointer: OpaquePointer, _ body: (EventQueue) -> Result) -> Result {
    Unmanaged<EventQueue>.fromOpaque(UnsafeRawPointer(pointer))._withUnsafeGuaranteedRef(body)
}

/// A new, empty set; NULL if there are too many.
@c(fset_create)
public func fsetCreate() -> OpaquePointer? {
    FlowSets.create().map { OpaquePointer(Unmanaged.passRetained($0).toOpaque()) }
}

/// Takes the flows out of the set and frees it.
@c(fset_destroy)
public func fsetDestroy(_ pointer: OpaquePointer?) {
    guard let pointer else { return }
    FlowSets.destroy(set(pointer))
    Unmanaged<FlowSet>.fromOpaque(UnsafeRawPointer(pointer)).release()
}

/// Takes all flows out of the set.
@c(fset_zero)
public func fsetZero(_ pointer: OpaquePointer?) {
    guard let pointer else { return }
    FlowSets.clear(set(pointer))
}

/// Puts a flow into the set.
@c(fset_add)
public func fsetAdd(_ pointer: OpaquePointer?, _ descriptor: Int32) -> Int32 {
    guard let pointer else { return negative(.invalid) }
    do throws(Failure) {
        try FlowSets.add(descriptor, to: set(pointer))
        return 0
    } catch {
        return negative(error)
    }
}

/// Asks for events beyond those that every set has.
@c(fset_want)
public func fsetWant(_ pointer: OpaquePointer?, _ events: Int32) -> Int32 {
    let room = Int32(FlowEvent.room.rawValue)
    guard let pointer, events & ~room == 0 else { return negative(.invalid) }
    FlowSets.tellOfRoom(events & room != 0, set(pointer))
    return 0
}

/// Whether the flow is in the set.
@c(fset_has)
public func fsetHas(_ pointer: OpaquePointer?, _ descriptor: Int32) -> Bool {
    guard let pointer else { return false }
    return FlowSets.contains(descriptor, in: set(pointer))
}

/// Takes a flow out of the set.
@c(fset_del)
public func fsetDel(_ pointer: OpaquePointer?, _ descriptor: Int32) {
    guard let pointer else { return }
    FlowSets.remove(descriptor, from: set(pointer))
}

/// A new, empty queue of events.
@c(fqueue_create)
public func fqueueCreate() -> OpaquePointer? { OpaquePointer(Unmanaged.passRetained(EventQueue()).toOpaque()) }

/// Frees the queue.
@c(fqueue_destroy)
public func fqueueDestroy(_ pointer: OpaquePointer?) {
    guard let pointer else { return }
    Unmanaged<EventQueue>.fromOpaque(UnsafeRawPointer(pointer)).release()
}

/// Takes the next event: the flow that it happened to.
@c(fqueue_next)
public func fqueueNext(_ pointer: OpaquePointer?) -> Int32 {
    guard let pointer else { return negative(.invalid) }
    return withQueue(pointer) { $0.take() } ?? negative(.notPermitted)
}

/// A failure is no value of `enum fqtype`, but what a C program reads is the same number.
@c(fqueue_type)
public func fqueueType(_ pointer: OpaquePointer?) -> Int32 {
    guard let pointer else { return negative(.invalid) }
    return withQueue(pointer) { $0.current }.map { Int32($0.rawValue) } ?? negative(.notPermitted)
}

/// Waits until something happens to a flow of the set.
@c(fevent)
public func fEvent(
    _ setPointer: OpaquePointer?, _ queuePointer: OpaquePointer?, _ timeout: UnsafePointer<timespec>?
) -> Int {
    guard let setPointer, let queuePointer else { return Int(negative(.invalid)) }
    do throws(Failure) {
        try FlowSets.wait(set(setPointer), queue(queuePointer), timeout: try timeSpan(timeout))
        return 1
    } catch {
        return Int(negative(error))
    }
}

/// A descriptor that is readable when the set may have events.
@c(fset_pollfd)
public func fsetPollDescriptor(_ pointer: OpaquePointer?) -> Int32 {
    guard let pointer else { return negative(.invalid) }
    do throws(Failure) {
        return try FlowSets.pollDescriptor(set(pointer))
    } catch {
        return negative(error)
    }
}
