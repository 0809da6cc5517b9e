// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ouroboros

// Sends its arguments, each as a message, and prints what comes back.

do {
    try withFlow(to: "echo") { flow in
        for argument in CommandLine.arguments.dropFirst() {
            let deadline = Deadline.after(.seconds(10))
            try flow.write(Array(argument.utf8), deadline: deadline)
            print(String(decoding: try flow.read(deadline: deadline), as: UTF8.self))
        }
    }
} catch {
    print("No echo: \(error)")
}
