// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Glibc
import Ouroboros

/// What the server does with a flow. The first message says which; the flow's end ends it.
enum Duty: UInt8, CaseIterable {
    /// Reads in blocking calls, and answers the last message, which is shorter.
    case sink
    /// Answers everything in blocking calls.
    case echo
    /// Like `sink`, awaited.
    case asyncSink
    /// Like `echo`, awaited.
    case asyncEcho
}

/// The other process.
final class Server {
    let name = "flow-bench-\(getpid())"
    private var process = pid_t()

    init() throws {
        let words: [UnsafeMutablePointer<CChar>?] = [strdup("flow-bench"), strdup("serve"), strdup(name), nil]
        defer { for word in words { free(word) } }
        guard posix_spawn(&process, "/proc/self/exe", nil, nil, words, environ) == 0 else {
            throw OuroborosError(.notPermitted, reason: "The other process cannot be started.")
        }
        let deadline = Deadline.after(.seconds(20))
        while try !isServing(deadline) { usleep(1_000) }
    }

    private func isServing(_ deadline: Deadline) throws(OuroborosError) -> Bool {
        do throws(OuroborosError) {
            try Flow.open(to: name, deadline: deadline).close()
            return true
        } catch {
            guard error.code == .name || error.code == .ipcp, !deadline.hasPassed else { throw error }
            return false
        }
    }

    func end() {
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
    }
}

func serve(_ name: String) async throws {
    let listener = try FlowListener(bindingTo: name)
    for try await flow in listener.flows {
        guard let first = try? await flow.receive(), let task = first.first.flatMap(Duty.init(rawValue:)) else {
            continue
        }
        switch task {
        case .sink: try? sink(flow)
        case .echo: try? echo(flow)
        case .asyncSink: try? await awaitedSink(flow)
        case .asyncEcho: try? await awaitedEcho(flow)
        }
    }
}

private func sink(_ flow: Flow) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    try buffer.withUnsafeMutableBytes { buffer in
        let first = try flow.read(into: buffer)
        while try flow.read(into: buffer) == first {}
        try flow.write([0])
    }
}

private func echo(_ flow: Flow) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    try buffer.withUnsafeMutableBytes { buffer in
        while true {
            let count = try flow.read(into: buffer)
            try flow.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

private func awaitedSink(_ flow: Flow) async throws {
    let first = try await flow.receive().count
    for try await packet in flow.packets where packet.count != first { break }
    try await flow.send([0])
}

private func awaitedEcho(_ flow: Flow) async throws {
    for try await packet in flow.packets { try await flow.send(packet) }
}
