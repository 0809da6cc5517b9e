// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// A program that irmd started for a name.
struct StartedProgram: Sendable {
    let key: ProgramKey
    let name: ServiceName
    /// It accepted: it did what it was started for.
    var hasAccepted = false
    /// It did not accept in time, and the log says so.
    var isGivenUp = false
}

/// The programs that irmd started for names, and those that it is about to start.
struct StartedPrograms: Sendable {
    private var starting: [StartID: StartedProgram] = [:]
    private var started: [ProcessID: StartedProgram] = [:]
    /// How many are being started, and which run, by what they are.
    private var startingOf: [ProgramKey: Int] = [:]
    private var processesOf: [ProgramKey: Set<ProcessID>] = [:]
    private var nextStart: UInt64 = 1

    var isEmpty: Bool { starting.isEmpty && started.isEmpty }
    /// In ascending order.
    var processes: [ProcessID] { started.keys.sorted() }

    subscript(process: ProcessID) -> StartedProgram? { started[process] }

    /// Whether one of them runs or is about to.
    func isAtWork(_ key: ProgramKey) -> Bool { startingOf[key] != nil || processesOf[key] != nil }

    mutating func begin(_ key: ProgramKey, for name: ServiceName) -> StartID {
        defer { nextStart += 1 }
        let start = StartID(nextStart)
        starting[start] = StartedProgram(key: key, name: name)
        startingOf[key, default: 0] += 1
        return start
    }

    /// It runs. Nil if nobody knows of the start.
    mutating func succeed(_ start: StartID, as process: ProcessID) -> StartedProgram? {
        guard let program = fail(start) else { return nil }
        started[process] = program
        processesOf[program.key, default: []].insert(process)
        return program
    }

    /// It does not run. Nil if nobody knows of the start.
    mutating func fail(_ start: StartID) -> StartedProgram? {
        guard let program = starting.removeValue(forKey: start) else { return nil }
        let left = (startingOf[program.key] ?? 1) - 1
        startingOf[program.key] = left == 0 ? nil : left
        return program
    }

    /// Nil if it was none of these.
    mutating func remove(_ process: ProcessID) -> StartedProgram? {
        guard let program = started.removeValue(forKey: process) else { return nil }
        processesOf[program.key]?.remove(process)
        if processesOf[program.key]?.isEmpty == true { processesOf[program.key] = nil }
        return program
    }

    mutating func hasAccepted(_ process: ProcessID) { started[process]?.hasAccepted = true }

    /// Gives up the one of the lowest pid among those that run. False if all have been given up.
    mutating func giveUp(_ key: ProgramKey) -> Bool {
        guard let process = processesOf[key]?.filter({ started[$0]?.isGivenUp == false }).min() else { return false }
        started[process]?.isGivenUp = true
        return true
    }
}
