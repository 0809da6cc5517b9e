// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Glibc
import Ouroboros

// Answers a message, closes all descriptors, as daemons do when they begin, and goes on answering: the library opens
// what it needs again. Flows that it had before have ended.

let listener = try FlowListener(bindingTo: "closing")
print("Serving closing.")
var served = 0
for try await flow in listener.flows {
    try await flow.send(try await flow.receive())
    // The client closes first, so that nothing of the answer is lost.
    _ = try? await flow.receive()
    flow.close()
    served += 1
    guard served == 1 else { continue }
    for descriptor: Int32 in 3..<1024 { close(descriptor) }
    print("Closed all.")
}
