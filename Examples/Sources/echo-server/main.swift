// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ouroboros

// Answers each message of one flow after the other.

let listener = try FlowListener(bindingTo: "echo")
print("Serving echo.")
while true {
    let flow = try listener.accept()
    do throws(OuroborosError) {
        while true { try flow.write(try flow.read()) }
    } catch let error where error.code == .flowDown {
        // The client has what it wanted.
    } catch {
        print("A flow failed: \(error)")
    }
    flow.close()
}
