// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Ouroboros

/// Who is here. Each member is a task that reads its flow; no member has a thread.
actor Room {
    private var members: [ObjectIdentifier: Flow] = [:]

    func serve() async throws {
        let listener = try FlowListener(bindingTo: "chat")
        print("Serving chat.")
        try await withThrowingDiscardingTaskGroup { group in
            for try await flow in listener.flows {
                group.addTask { await self.serve(flow) }
            }
        }
    }

    private func serve(_ flow: Flow) async {
        members[ObjectIdentifier(flow)] = flow
        print("Members: \(members.count)")
        do {
            for try await line in flow.packets { await tellOthers(line, than: flow) }
        } catch {
            print("A member failed: \(error)")
        }
        members[ObjectIdentifier(flow)] = nil
        flow.close()
    }

    /// A member that does not read for a second misses what the others say.
    private func tellOthers(_ line: [UInt8], than speaker: Flow) async {
        for member in members.values where member !== speaker {
            try? await member.send(line, deadline: .after(.seconds(1)))
        }
    }
}
