// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CFlowControl
import CLinux
import COuroboros
import ToolSupport
import Vocabulary

private let serverName = "oecho"
/// With the NUL that ends it in C: that is what goes over the flow.
private let greeting = Array("Client says hi!".utf8) + [0]

/// Sends the greeting and prints what comes back.
func runClient() -> Int32 {
    let flow = flow_alloc(serverName, nil, nil)
    guard flow >= 0 else { return failed("Failed to allocate flow.", String(cString: flow_last_error())) }
    defer { _ = flow_dealloc(flow) }  // nothing can be done if it fails
    let written = flow_write(flow, greeting, greeting.count)
    guard written >= 0 else { return failed("Failed to write packet.", written) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = flow_read(flow, &buffer, buffer.count)
    guard count >= 0 else { return failed("Failed to read packet.", count) }
    Output.standard.line("Server replied with \(text(buffer, count))")
    return 0
}

/// Answers one flow at a time, until a flow cannot be accepted or a signal comes.
func runServer() -> Int32 {
    cl_catch_stop_signals()
    Output.standard.line("Starting the server.")
    while cl_stop_signal() == 0 {
        let flow = flow_accept(nil, nil)
        guard flow >= 0 else {
            if flow != -EINTR { _ = failed("Failed to accept flow.", String(cString: flow_last_error())) }
            break
        }
        Output.standard.line("New flow.")
        answer(flow)
        _ = flow_dealloc(flow)  // nothing can be done if it fails
    }
    return 0
}

private func answer(_ flow: Int32) {
    // A client that says nothing shall not keep the others waiting for ever.
    var patience = timespec(tv_sec: 5, tv_nsec: 0)
    _ = cf_set_receive_timeout(flow, &patience)
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = flow_read(flow, &buffer, buffer.count)
    guard count >= 0 else { return _ = failed("Failed to read packet.", count) }
    Output.standard.line("Message from client is \(text(buffer, count)).")
    let written = flow_write(flow, buffer, count)
    if written < 0 { _ = failed("Failed to write packet.", written) }
}

/// What was sent, without the NUL that may end it.
private func text(_ buffer: [UInt8], _ count: Int) -> String { printable(buffer.prefix(count).prefix { $0 != 0 }) }

/// The prototype's line, and for people the reason. Returns the exit status.
private func failed(_ line: String, _ reason: String) -> Int32 {
    Output.standard.line(line)
    Output.error.line("oecho: \(reason).")
    return 255
}

private func failed(_ line: String, _ result: Int) -> Int32 { failed(line, "\(Failure(result: result))") }
