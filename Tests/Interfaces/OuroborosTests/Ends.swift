// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import BrokerDouble
import CLinux
import FlowRuntime
import Platform

@testable import Ouroboros

/// Both ends of a new flow, in this process.
func makeFlow() throws -> (client: Flow, server: Flow) {
    let (client, server) = try TestBroker.shared.flow()
    return (Flow(adopting: client, .raw), Flow(adopting: server, .raw))
}

/// Fills the flow until it takes no more; the number of messages that it took.
func fill(_ flow: Flow, with message: [UInt8]) throws -> Int {
    var count = 0
    while try flow.tryWrite(message) { count += 1 }
    return count
}

/// Runs blocking code on a thread of its own, so that tests do not take the threads that tasks share.
func onThread<Answer: Sendable>(_ body: @escaping @Sendable () throws -> Answer) async throws -> Answer {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try Thread.start { continuation.resume(with: Result { try body() }) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

/// Suspends until the condition holds.
func until(_ condition: () throws -> Bool) async throws {
    while try !condition() { try await Task.sleep(for: .microseconds(200)) }
}

func expectCancelled<Answer>(_ task: Task<Answer, any Error>) async -> Bool {
    if case .failure(let error) = await task.result { return error is CancellationError }
    return false
}
