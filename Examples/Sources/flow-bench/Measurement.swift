// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ouroboros

/// Nanoseconds of one size of message.
struct Measurement {
    let bytes: Int
    let messages: Int
    var write = 0.0
    var send = 0.0
    var roundTrip = RoundTrip()
    var awaitedRoundTrip = RoundTrip()

    struct RoundTrip {
        var minimum: Int64 = 0
        var median: Int64 = 0
        var p99: Int64 = 0

        init() {}

        init(_ samples: [Int64]) {
            let sorted = samples.sorted()
            minimum = sorted[0]
            median = sorted[sorted.count / 2]
            p99 = sorted[sorted.count * 99 / 100]
        }

        var json: String { "{\"min\": \(minimum), \"median\": \(median), \"p99\": \(p99)}" }
    }

    var json: String {
        """
        {"transport": "flow", "api": "swift", "bytes": \(bytes), "messages": \(messages), \
        "write_ns_per_packet": \(tenths(write)), "send_ns_per_packet": \(tenths(send)), \
        "round_trip_ns": \(roundTrip.json), "async_round_trip_ns": \(awaitedRoundTrip.json)}
        """
    }

    private func tenths(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}

/// All figures, one after the other.
func measure(bytes: Int, messages: Int, with name: String) async throws -> Measurement {
    var result = Measurement(bytes: bytes, messages: messages)
    let message = [UInt8](repeating: 1, count: max(bytes, 1))
    let last = [UInt8](repeating: 1, count: message.count + 1)
    let clock = ContinuousClock()

    try await withFlow(to: name) { flow in
        try await flow.send([Duty.sink.rawValue])
        let start = clock.now
        try writeAll(message, last, messages, flow)
        result.write = nanoseconds(clock.now - start) / Double(messages)
    }
    try await withFlow(to: name) { flow in
        try await flow.send([Duty.asyncSink.rawValue])
        let start = clock.now
        for _ in 0..<messages { try await flow.send(message) }
        try await flow.send(last)
        _ = try await flow.receive()
        result.send = nanoseconds(clock.now - start) / Double(messages)
    }
    let rounds = max(100, min(messages / 10, 20_000))
    try await withFlow(to: name) { flow in
        try await flow.send([Duty.echo.rawValue])
        result.roundTrip = Measurement.RoundTrip(try pingPong(message, rounds, flow))
    }
    try await withFlow(to: name) { flow in
        try await flow.send([Duty.asyncEcho.rawValue])
        var samples: [Int64] = []
        for _ in 0..<rounds {
            let start = clock.now
            try await flow.send(message)
            _ = try await flow.receive()
            samples.append(Int64(nanoseconds(clock.now - start)))
        }
        result.awaitedRoundTrip = Measurement.RoundTrip(samples)
    }
    return result
}

/// Blocking, until the reader says that it has everything.
private func writeAll(_ message: [UInt8], _ last: [UInt8], _ count: Int, _ flow: Flow) throws {
    for _ in 0..<count { try flow.write(message) }
    try flow.write(last)
    _ = try flow.read()
}

private func pingPong(_ message: [UInt8], _ rounds: Int, _ flow: Flow) throws -> [Int64] {
    let clock = ContinuousClock()
    var samples: [Int64] = []
    var reply = [UInt8](repeating: 0, count: message.count + 1)
    for _ in 0..<rounds {
        let start = clock.now
        try flow.write(message)
        _ = try reply.withUnsafeMutableBytes { try flow.read(into: $0) }
        samples.append(Int64(nanoseconds(clock.now - start)))
    }
    return samples
}

private func nanoseconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) * 1e9 + Double(attoseconds) / 1e9
}
