// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Glibc
import Ouroboros

// Answers each message of one flow after the other.

func serve() throws(OuroborosError) {
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
}

do throws(OuroborosError) {
    try serve()
} catch {
    print("No echo is served: \(error)")
    exit(1)
}
