// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import ToolSupport
import Vocabulary

/// What a command leaves behind for its user.
package struct Report: Hashable, Sendable {
    package var output = ""
    package var errors = ""
    package var exitStatus: Int32 = 0

    mutating func warn(_ line: String) { errors += "irm: \(line)\n" }

    mutating func fail(_ line: String) {
        warn(line)
        exitStatus = 1
    }
}

/// The whole of `irm`: words in, a report out.
package enum ManagementTool {
    /// - Parameter words: The command line without the program's name.
    /// - Parameter connect: Called once, and only for commands that need irmd.
    package static func run<Service: ManagementService>(
        _ words: [Word], connect: () throws(ManagementError) -> Service
    ) -> Report {
        var report = Report()
        let parsed: Parsed
        do throws(UsageError) {
            parsed = try Grammar.parse(words)
        } catch {
            let advice = error.usage.map { " Try \"\($0.rawValue) --help\"." } ?? ""
            if !error.message.isEmpty { report.fail(error.message + advice) }
            // Whoever says nothing but the command is shown what it takes. spec: irm-cli §1
            if words.count <= 2 { report.output = error.usage?.text ?? "" }
            report.exitStatus = error.exitStatus
            return report
        }
        for warning in parsed.warnings { report.warn(warning) }
        switch parsed.command {
        case .help(let usage): report.output = usage.text
        case .version: report.output = Version.line
        default:
            return run(parsed.command, report, connect)
        }
        return report
    }

    /// What completion is told; see `Completion`. Without an irmd nothing of the running system is proposed.
    package static func complete<Service: ManagementService>(
        _ words: [Word], connect: () throws(ManagementError) -> Service
    ) -> [UInt8] {
        withoutActuallyEscaping(connect) { connect in
            Completion.answer(words.map(\.bytes)) { words in
                CommandCompletion(words.map(Word.init)) { try? connect() }.candidates
            }
        }
    }

    private static func run<Service: ManagementService>(
        _ command: Command, _ report: Report, _ connect: () throws(ManagementError) -> Service
    ) -> Report {
        var report = report
        let prepared: Command
        do throws(Preparation.Refusal) {
            prepared = try Preparation.prepared(command)
        } catch {
            report.fail(error.message)
            return report
        }
        do throws(ManagementError) {
            var execution = Execution(service: try connect(), report: report)
            execution.run(prepared)
            return execution.report
        } catch {
            report.fail(error.sentence)
            return report
        }
    }
}

extension ManagementError {
    /// irmd gives phrases.
    var sentence: String { reason + (reason.hasSuffix(".") ? "" : ".") }

    /// What failed, in the prototype's words, and why.
    func explaining(_ what: String) -> ManagementError {
        ManagementError(failure, reason: (what.hasSuffix(".") ? String(what.dropLast()) : what) + ": " + sentence)
    }
}
