// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Vocabulary

/// The options of irmd(8).
struct ManagerOptions {
    var toStandardOutput = false
    var level = LogLevel.info
    var directory = RuntimeDirectory.ofManager()
    /// A quarter of the memory of this machine.
    var queueBytesPerUser = cl_memory_bytes() / 4

    enum Outcome {
        case run(ManagerOptions)
        case print(String)
        /// With what is wrong; `getopt_long` has said it itself if this is empty.
        case wrong(String)
    }

    static let usage = """
        Usage: irmd [OPTION]...
        The Ouroboros IPC Resource Manager daemon; see irmd(8).

          --stdout             log to standard output instead of the system log
          --log-level LEVEL    error, warning, info (default) or debug
          --runtime-dir DIR    keep the socket and the lock in DIR (default: $OUROBOROS_RUNTIME_DIR,
                               else /run/ouroboros as root, else $XDG_RUNTIME_DIR/ouroboros)
          --queue-limit MIB    MiB that may wait unread in the flows of one user, root excepted (default: a
                               quarter of the memory)
          --version            print the version and exit
          --help               print this and exit

        """

    private enum Choice: Int32, CaseIterable {
        case standardOutput = 256
        case level
        case directory
        case queueLimit
        case version
        case help

        /// Literals, which live as long as the program.
        var name: StaticString {
            switch self {
            case .standardOutput: "stdout"
            case .level: "log-level"
            case .directory: "runtime-dir"
            case .queueLimit: "queue-limit"
            case .version: "version"
            case .help: "help"
            }
        }

        var hasArgument: Bool {
            switch self {
            case .level, .directory, .queueLimit: true
            case .standardOutput, .version, .help: false
            }
        }
    }

    /// To be called once: the parser of libc keeps its place in globals.
    static func parse(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Outcome {
        let table =
            Choice.allCases.map { choice in
                option(
                    name: UnsafeRawPointer(choice.name.utf8Start).assumingMemoryBound(to: CChar.self),
                    has_arg: choice.hasArgument ? required_argument : no_argument, flag: nil, val: choice.rawValue)
            } + [option()]
        var options = ManagerOptions()
        while true {
            let found = getopt_long(count, arguments, "", table, nil)
            if found == -1 { break }
            guard let choice = Choice(rawValue: found) else { return .wrong("") }
            let argument = cl_option_argument().map { String(cString: $0) } ?? ""
            switch choice {
            case .standardOutput: options.toStandardOutput = true
            case .level:
                guard let level = LogLevel(named: argument) else { return .wrong("unknown log level \"\(argument)\"") }
                options.level = level
            case .directory:
                guard !argument.isEmpty else { return .wrong("the runtime directory has no name") }
                options.directory = argument
            case .queueLimit:
                guard let mebibytes = UInt64(argument), mebibytes > 0, mebibytes < 1 << 40 else {
                    return .wrong("\"\(argument)\" is no number of MiB")
                }
                options.queueBytesPerUser = mebibytes << 20
            case .version: return .print("Ouroboros version 0.23.0\n")
            case .help: return .print(usage)
            }
        }
        let rest = cl_option_index()
        guard rest >= count else {
            return .wrong("unknown argument \"\(arguments[Int(rest)].map { String(cString: $0) } ?? "")\"")
        }
        return .run(options)
    }
}
