// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import ToolSupport
import Vocabulary

/// irmd(8), from its arguments to its exit status.
package enum ResourceManagerRuntime {
    /// - Parameter words: The command line, with the program's name.
    package static func run(_ words: [[UInt8]]) -> Int32 {
        cl_open_standard_streams()
        switch ManagerOptions.parse(words) {
        case .answer(let bytes):
            Output.standard.write(bytes: bytes)
            Output.end(0)
        case .mistake(let line):
            Output.error.write(line)
            return 1
        case .run(let options): return Thread.withEnoughStack { serve(options) }
        }
    }

    private static func serve(_ given: ManagerOptions) -> Int32 {
        var options = given
        cl_begin_daemon(3)
        let log = Log(
            options.toStandardOutput ? .standardOutput(tellsTime: options.tellsTime) : .system, level: options.level,
            program: "irmd", colour: options.colour)
        defer { log.finish() }
        options.colour = log.isColoured ? .always : .never
        if log.isDeaf {
            Output.error.line("irmd: There is no system log (/dev/log), so nothing is logged: see --stdout.")
        }
        do throws(RuntimeSite.Refusal) {
            return serve(options, log, try RuntimeSite(options.directory))
        } catch {
            switch error {
            case .alreadyRunning(let holder):
                complain(.warning, "IRMd already running (\(holder)), exiting.", options, log)
            case .failed(let reason): complain(.error, "irmd cannot start: \(reason).", options, log)
            }
            return 1
        }
    }

    private static func serve(_ options: ManagerOptions, _ log: Log, _ site: consuming RuntimeSite) -> Int32 {
        if site.wasStale {
            log.write(.warning, "irmd", "IRMd didn't properly shut down last time.")
            log.write(.warning, "irmd", "Stale resources cleaned.")
        }
        do throws(RefusedCall) {
            let daemon = try ManagerDaemon(options, log, site)
            log.write(.info, "irmd", "Ouroboros IPC Resource Manager daemon started...")
            cl_notify_service_manager("READY=1")
            daemon.sayWhatIsMissing()
            daemon.serve()
            return 0
        } catch {
            complain(.error, "irmd cannot start: \(error).", options, log)
            return 1
        }
    }

    /// Also where the user is who started it, if the log goes elsewhere.
    private static func complain(_ level: LogLevel, _ text: String, _ options: ManagerOptions, _ log: Log) {
        log.write(level, "irmd", text)
        if !options.toStandardOutput { Output.error.line(printable(sentence: text.utf8)) }
    }
}
