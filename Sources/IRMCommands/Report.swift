// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Vocabulary

/// What a command leaves behind for its user.
package struct Report: Hashable, Sendable {
    package var output = ""
    package var errors = ""
    package var exitStatus: Int32 = 0

    mutating func warn(_ line: String) { errors += line + "\n" }

    mutating func fail(_ line: String) {
        errors += line + "\n"
        exitStatus = 1
    }
}

/// The whole of `irm`: words in, a report out.
package enum ManagementTool {
    /// - Parameter words: The command line without the program's name.
    /// - Parameter connect: Called once, and only for commands that need irmd.
    package static func run<Service: ManagementService>(
        _ words: [Word], version: String, connect: () throws(ManagementError) -> Service
    ) -> Report {
        var report = Report()
        let parsed: Parsed
        do throws(UsageError) {
            parsed = try Grammar.parse(words)
        } catch {
            if !error.message.isEmpty { report.fail(error.message) }
            report.output = error.usage?.text ?? ""
            report.exitStatus = error.exitStatus
            return report
        }
        for warning in parsed.warnings { report.warn(warning) }
        switch parsed.command {
        case .help(let usage): report.output = usage.text
        case .version: report.output = "Ouroboros version \(version)\n"
        default:
            return run(parsed.command, report, connect)
        }
        return report
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
            report.output += error.usage?.text ?? ""
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
    /// The reason as a line of its own. irmd gives phrases, which say whose they are when they stand alone.
    var sentence: String {
        let begins = reason.first.map { $0.isLowercase || $0 == "/" } ?? true
        return (begins ? "irm: " : "") + reason + (reason.hasSuffix(".") ? "" : ".")
    }

    /// What failed, in the prototype's words, and below it why.
    func explaining(_ line: String) -> ManagementError { ManagementError(failure, reason: line + "\n" + sentence) }
}
