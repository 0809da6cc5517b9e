// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Why a program that was started for a name is of no use to whoever waits.
package enum StartTrouble: Hashable, Sendable {
    case notStarted(Failure)
    /// Before it accepted a flow.
    case ended(ExitStatus)
    /// It runs, and did not accept a flow within this time.
    case silent(TimeSpan)

    /// For the client and for the log.
    func sentence(of program: [UInt8]) -> String {
        let program = printable(program)
        return switch self {
        case .notStarted(let failure): "cannot start \(program): \(failure)"
        case .ended(.exited(let status)): "\(program) ended with status \(status) before it accepted a flow"
        case .ended(.killed(let signal)): "\(program) was killed by signal \(signal) before it accepted a flow"
        case .silent(let span):
            "\(program) did not accept a flow within \(span.nanoseconds / 1_000_000_000) s after it was started"
        }
    }
}

/// Programs that irmd starts for names, when nobody accepts. spec: irmd §6
extension ResourceManager {
    /// Whether a live process that is bound to the name has accepted before: it is a server, busy at the moment.
    func hasAcceptingProcess(_ name: ServiceName) -> Bool {
        naming[name].map { book.hasServer(among: $0.processes) } ?? false
    }

    /// Nobody accepts flows for the name now. Starts a program if the name has one and none is at work already; returns
    /// when the program shall have accepted. Nil if there is a server that will accept, or nothing to start.
    mutating func startIfNeeded(for name: ServiceName) -> Instant? {
        guard let key = naming[name]?.autoStarts.last, !isStopping, !hasAcceptingProcess(name) else { return nil }
        let limit = now + Limits.autoStartTimeout
        if children.programs.isAtWork(key) { return limit }
        guard let recipe = naming.recipe(of: key, for: name) else { return nil }
        let start = children.programs.begin(key, for: name)
        report(.supervision(.starting(key.path, name)))
        outgoing.append(
            .spawnProgram(
                start,
                ProgramStart(
                    path: key.path, arguments: recipe.arguments, directory: recipe.directory, user: key.user,
                    group: recipe.group, groups: recipe.groups)))
        return limit
    }

    mutating func programSpawned(_ start: StartID, _ process: ProcessID) {
        guard let program = children.programs.succeed(start, as: process) else { return }
        for name in naming.started(process, for: program.key) {
            book.regroup(name)
            match(name)
        }
        report(.supervision(.instantiated(program.key.path, process)))
        if isStopping { outgoing.append(.signal(process, .terminate)) }
    }

    mutating func programNotSpawned(_ start: StartID, _ failure: Failure) {
        guard let program = children.programs.fail(start) else { return }
        let trouble = StartTrouble.notStarted(failure)
        report(.supervision(.startFailed(program.key.path, program.name, trouble)))
        refuseWaiting(
            for: program.name, .ipcp, trouble.sentence(of: program.key.path), where: { $0.startDeadline != nil })
    }

    /// A program that we started is gone. Who waits for it gets another one if it worked, else the truth.
    mutating func programEnded(_ process: ProcessID, _ program: StartedProgram, _ status: ExitStatus) {
        let trouble = StartTrouble.ended(status)
        removeProcess(process)
        // One that goes to the background ends too, and leaves a child that accepts.
        if program.hasAccepted || isStopping || hasAcceptingProcess(program.name) {
            report(.supervision(.programEnded(process, program.key.path, status)))
        } else {
            report(.supervision(.startFailed(program.key.path, program.name, trouble)))
        }
        for name in naming.names(of: program.key) where book.waiting.contains(name) {
            if program.hasAccepted || hasAcceptingProcess(name) {
                settle(name)
            } else {
                refuseWaiting(
                    for: name, .ipcp, trouble.sentence(of: program.key.path), where: { $0.startDeadline != nil })
            }
        }
    }

    /// What was started for the name runs and does not accept: every client that waits is told, the log once.
    mutating func giveUpStart(for allocation: Allocation) {
        let trouble = StartTrouble.silent(Limits.autoStartTimeout)
        guard let key = naming[allocation.name]?.autoStarts.last else {
            return refuse(
                allocation, .ipcp, "the program that was started for \(allocation.name) does not accept flows")
        }
        if children.programs.giveUp(key) {
            report(.supervision(.startFailed(key.path, allocation.name, trouble)))
        }
        refuse(allocation, .ipcp, trouble.sentence(of: key.path))
    }
}
