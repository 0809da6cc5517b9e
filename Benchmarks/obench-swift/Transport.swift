// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Flows through the Swift interface, as obench's transport "flow-swift": what that interface adds to the C path. obench
// loads this library when it measures it (transport_swift.c, which says what each function is for).

import Ouroboros

/// The next flow to a name that this process is bound to; nil: there is none.
@c(obench_swift_accept)
public func accept() -> UnsafeMutableRawPointer? { opaque { () throws(OuroborosError) in try FlowListener().accept() } }

/// A flow to the name; nil: there is none.
@c(obench_swift_open)
public func open(_ name: UnsafePointer<CChar>) -> UnsafeMutableRawPointer? {
    opaque { () throws(OuroborosError) in try Flow.open(to: String(cString: name)) }
}

private func opaque(_ make: () throws(OuroborosError) -> Flow) -> UnsafeMutableRawPointer? {
    (try? make()).map { Unmanaged.passRetained($0).toOpaque() }
}

/// Ends the flow.
@c(obench_swift_close)
public func close(_ flow: UnsafeMutableRawPointer) { Unmanaged<Flow>.fromOpaque(flow).takeRetainedValue().close() }

/// Whether writes wait for room.
@c(obench_swift_wait)
public func wait(_ flow: UnsafeMutableRawPointer, _ waits: Bool) {
    Unmanaged<Flow>.fromOpaque(flow)._withUnsafeGuaranteedRef { flow in
        var flags = Flow.Flags()
        flags.writesWithoutWaiting = !waits
        try? flow.setFlags(flags)
    }
}

/// Sends a message: its size; 0: there is no room; negative: it failed.
@c(obench_swift_write)
public func write(_ flow: UnsafeMutableRawPointer, _ message: UnsafeRawPointer, _ size: Int) -> Int {
    Unmanaged<Flow>.fromOpaque(flow)._withUnsafeGuaranteedRef { flow in
        do throws(OuroborosError) {
            try flow.write(UnsafeRawBufferPointer(start: message, count: size))
            return size
        } catch {
            return error.code == .wouldBlock ? 0 : -1
        }
    }
}

/// Receives a message: its size; negative: it failed.
@c(obench_swift_read)
public func read(_ flow: UnsafeMutableRawPointer, _ buffer: UnsafeMutableRawPointer, _ size: Int) -> Int {
    Unmanaged<Flow>.fromOpaque(flow)._withUnsafeGuaranteedRef { flow in
        (try? flow.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))) ?? -1
    }
}

/// A set of the flows of some channels, and what it has told and nobody has taken.
private final class Watch {
    let set: FlowSet
    let flows: [Flow]
    var events: [FlowSet.Event] = []
    var next = 0
    var taken = 0

    init(_ flows: [Flow]) throws(OuroborosError) {
        self.flows = flows
        set = try FlowSet(flows)
    }

    /// The channel of one message.
    func channel() throws(OuroborosError) -> Int32 {
        while true {
            while next < events.count {
                let event = events[next]
                if event.kind == .packet, taken < event.count {
                    taken += 1
                    return Int32(flows.firstIndex { $0 === event.flow } ?? -1)
                }
                next += 1
                taken = 0
            }
            events = try set.wait()
            next = 0
        }
    }
}

/// A set of the flows of some channels; nil: it failed.
@c(obench_swift_watch)
public func watch(_ flows: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int) -> UnsafeMutableRawPointer? {
    let flows = (0..<count).map { Unmanaged<Flow>.fromOpaque(flows[$0]).takeUnretainedValue() }
    return (try? Watch(flows)).map { Unmanaged.passRetained($0).toOpaque() }
}

/// The channel that has a message; negative: it failed.
@c(obench_swift_next)
public func next(_ watch: UnsafeMutableRawPointer) -> Int32 {
    Unmanaged<Watch>.fromOpaque(watch)._withUnsafeGuaranteedRef { watch in (try? watch.channel()) ?? -1 }
}
