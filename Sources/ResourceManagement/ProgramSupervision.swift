// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Programs that irmd starts for names, when nobody accepts. spec: irmd §6
extension ResourceManager {
    /// Whether a live process that is bound to the name has accepted before: it is a server, busy at the moment.
    func hasAcceptingProcess(_ name: ServiceName) -> Bool {
        names[name]?.processes.contains { processes[$0]?.hasAccepted == true } ?? false
    }

    /// Nobody accepts flows for the name now. Starts a program if the name has one and none is at work already; returns
    /// when the program shall have accepted. Nil if there is a server that will accept, or nothing to start.
    mutating func startIfNeeded(for name: ServiceName) -> Instant? {
        guard let key = names[name]?.autoStarts.last, !isStopping, !hasAcceptingProcess(name) else { return nil }
        let limit = now + Limits.autoStartTimeout
        let isOurs = { (program: StartedProgram) in program.key == key }
        if started.values.contains(where: isOurs) || starting.values.contains(where: isOurs) { return limit }
        guard let recipe = programs.recipe(of: key, for: name) else { return nil }
        let start = StartID(nextStart)
        nextStart += 1
        starting[start] = StartedProgram(key: key, name: name)
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
        guard let program = starting.removeValue(forKey: start) else { return }
        started[process] = program
        report(.supervision(.instantiated(program.key.path, process)))
        if isStopping { outgoing.append(.signal(process, .terminate)) }
    }

    mutating func programNotSpawned(_ start: StartID, _ failure: Failure) {
        guard let program = starting.removeValue(forKey: start) else { return }
        report(.supervision(.startFailed(program.key.path, program.name, failure)))
        refuseWaiting(
            for: program.name, .ipcp, "\(printable(program.key.path)) could not be started: \(failure)",
            where: { $0.startDeadline != nil })
    }

    /// A program that we started is gone. Who waits for it gets another one if it worked, else the truth.
    mutating func programEnded(_ process: ProcessID, _ program: StartedProgram, _ status: ExitStatus) {
        report(.supervision(.programEnded(process, program.key.path, status)))
        removeProcess(process)
        for name in programs.names(of: program.key) where waiting.contains(name) {
            if program.hasAccepted || hasAcceptingProcess(name) {
                settle(name)
            } else {
                refuseWaiting(
                    for: name, .ipcp, "\(printable(program.key.path)) ended without accepting a flow: \(status)",
                    where: { $0.startDeadline != nil })
            }
        }
    }
}
