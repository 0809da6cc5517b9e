// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// What is the same in every ipcpd: it is started by irmd, says so in the log, serves, and ends.
package enum IPCPProgram {
    /// Returns the exit status.
    package static func run(_ type: IPCPType, _ serve: (Log) throws(RefusedCall) -> Void) -> Int32 {
        cl_open_standard_streams()
        guard let options = IPCPOptions(CommandLine.arguments), ManagerChannel.isThere else {
            let text = "\(type.daemon) is started by irmd: irm ipcp create name NAME type \(type.name)\n"
            _ = Array(text.utf8).withUnsafeBytes { cl_write_all(STDERR_FILENO, $0.baseAddress, $0.count) }
            return 1
        }
        cl_begin_daemon(ManagerChannel.descriptor + 1)
        return Thread.withEnoughStack { run(type, options, serve) }
    }

    private static func run(
        _ type: IPCPType, _ options: IPCPOptions, _ serve: (Log) throws(RefusedCall) -> Void
    ) -> Int32 {
        let log = Log(
            options.toStandardOutput ? .standardOutput(tellsTime: options.tellsTime) : .system, level: options.level,
            program: type.daemon, speaker: options.name, colour: options.colour)
        defer { log.finish() }
        do throws(RefusedCall) {
            log.write(.info, "ipcpd/ipcp", "IPCP \(type.name) \(getpid()) initialized.")
            try serve(log)
        } catch {
            log.write(.error, "ipcpd/ipcp", "IPCP \(getpid()) failed: \(error).")
            return 1
        }
        log.write(.info, "ipcpd/ipcp", "IPCP \(getpid()) shutting down.")
        log.write(.info, "ipcpd/ipcp", "IPCP \(getpid()) out.")
        return 0
    }

    /// What asks every one to end.
    package static func signals() throws(RefusedCall) -> SignalSource {
        try SignalSource(SignalSource.ending)
    }
}
