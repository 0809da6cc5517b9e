// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// Threads of this program. They are the only ones, and none of them handles signals: those go to the main thread.
package enum Thread {
    /// Runs the body on a thread of its own, which nobody waits for. The body must not be written in a `main.swift` or
    /// a `@main` type: there it would belong to the main actor, and die here.
    package static func start(_ body: @escaping @Sendable () -> Void) throws(Failure) {
        let box = Unmanaged.passRetained(Body(run: body))
        var every = sigset_t()
        var before = sigset_t()
        sigfillset(&every)
        // A thread begins with the mask of who started it.
        pthread_sigmask(SIG_BLOCK, &every, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        // Whatever limit of stacks was inherited: an unlimited one may not fit into the memory that is allowed.
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Thread.stackBytes)
        var thread = pthread_t()
        let error = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard error == 0 else {
            box.release()
            throw Failure(result: Int(cl_refused_with("clone3", error)))
        }
        pthread_detach(thread)
    }

    /// Runs the body with as much stack as every other thread has, whatever limit was inherited, and returns what it
    /// returns: here, or on a thread that the caller waits for.
    package static func withEnoughStack(_ body: () -> Int32) -> Int32 {
        withoutActuallyEscaping(body) { body in
            var run = body
            return withUnsafeMutablePointer(to: &run) { run in
                cl_with_stack(
                    Thread.stackBytes, { $0?.assumingMemoryBound(to: (() -> Int32).self).pointee() ?? 1 }, run)
            }
        }
    }

    /// Runs the body on a thread of its own and waits for its end, but not longer than `patience`: then it goes on alone.
    package static func start(patience: TimeSpan, _ body: @escaping @Sendable () -> Void) throws(Failure) {
        let box = Unmanaged.passRetained(Body(run: body))
        let result = cl_aside(
            Thread.stackBytes,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
            }, box.toOpaque(), patience.nanoseconds)
        guard result == 0 else {
            box.release()
            throw Failure(result: Int(result))
        }
    }

    /// Enough for the resolver of the system, which needs most.
    private static let stackBytes = 1 << 20

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
