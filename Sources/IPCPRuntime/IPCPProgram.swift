// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// What is the same in every ipcpd: it is started by irmd, says so in the log, serves, and ends.
package enum IPCPProgram {
    /// Returns the exit status.
    package static func run(_ type: IPCPType, _ serve: (Log) throws(Failure) -> Void) -> Int32 {
        guard let options = IPCPOptions(CommandLine.arguments), ManagerChannel.isThere else {
            let text = "\(type.daemon) is started by irmd: irm ipcp create name NAME type \(type.name)\n"
            _ = Array(text.utf8).withUnsafeBytes { cl_write_all(STDERR_FILENO, $0.baseAddress, $0.count) }
            return 1
        }
        let log = Log(
            options.toStandardOutput ? .standardOutput : .system, level: options.level, colour: options.colour)
        SignalSource.ignoreBrokenPipes()
        do throws(Failure) {
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
}
