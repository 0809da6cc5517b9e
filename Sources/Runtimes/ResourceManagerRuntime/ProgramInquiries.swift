// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import ResourceManagement
import Synchronization
import Vocabulary

/// Looks at programs that somebody wants to bind, each on a thread of its own: the file may be on a file system of another
/// process, which answers when it likes, or never.
final class ProgramInquiries: Sendable {
    struct Answer: Sendable {
        let connection: ConnectionID
        let message: ProcessMessage
        let fact: SystemFact
    }

    private struct State: Sendable {
        var threads = Shares<UserID>(of: Limits.programInquiries)
        var answers: [Answer] = []
    }

    private let state = Mutex(State())
    /// Readable when there are answers. Nil where there are no eventfds: then programs are looked at at once.
    let descriptor: Int32?

    init() {
        let number = cl_eventfd()
        descriptor = number >= 0 ? number : nil
    }

    deinit { if let descriptor { cl_close(descriptor) } }

    /// Nil: there will be an answer. `EBUSY` if too many of this user's are under way.
    func fact(
        for program: [UInt8], startedFor starter: UserID?, of user: UserID, in message: ProcessMessage,
        on connection: ConnectionID
    ) -> SystemFact? {
        guard let descriptor else { return ProcessFacts.usability(of: program, startedFor: starter) }
        guard state.withLock({ $0.threads.add(for: user, isExempt: user == .root) }) else { return .unusable(.busy) }
        do throws(Failure) {
            try Thread.start {
                let fact = ProcessFacts.usability(of: program, startedFor: starter)
                self.state.withLock { state in
                    state.threads.remove(for: user)
                    state.answers.append(Answer(connection: connection, message: message, fact: fact))
                }
                EventCounter.raise(descriptor)
            }
            return nil
        } catch {
            state.withLock { $0.threads.remove(for: user) }
            return ProcessFacts.usability(of: program, startedFor: starter)
        }
    }

    func takeAnswers() -> [Answer] {
        if let descriptor { EventCounter.clear(descriptor) }
        return state.withLock { state in
            defer { state.answers = [] }
            return state.answers
        }
    }
}
