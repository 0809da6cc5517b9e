// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Allocates a flow, gives it to `body`, and closes it however `body` ends.
///
/// ```swift
/// let reply = try withFlow(to: "echo") { flow in
///     try flow.write(Array("hello".utf8))
///     return try flow.read()
/// }
/// ```
///
/// - Throws: Like `Flow.open(to:quality:deadline:)`, or what `body` throws.
public func withFlow<Result>(
    to name: String, quality: QualityOfService = .raw, deadline: Deadline? = nil, _ body: (Flow) throws -> Result
) throws -> Result {
    let flow = try Flow.open(to: name, quality: quality, deadline: deadline)
    defer { flow.close() }
    return try body(flow)
}

/// Allocates a flow without blocking a thread, gives it to `body`, and closes it however `body` ends, also when the task
/// is cancelled.
///
/// - Throws: `CancellationError`, like `Flow.open(to:quality:deadline:)`, or what `body` throws.
public nonisolated(nonsending) func withFlow<Result>(
    to name: String, quality: QualityOfService = .raw, deadline: Deadline? = nil,
    _ body: nonisolated(nonsending) (Flow) async throws -> Result
) async throws -> Result {
    let flow = try await Flow.open(to: name, quality: quality, deadline: deadline)
    defer { flow.close() }
    return try await body(flow)
}
