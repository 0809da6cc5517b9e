// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import ManagementClient
import Vocabulary

/// What a command needs to know of this machine before irmd is asked: files and processes that the user named.
enum Preparation {
    struct Refusal: Error {
        let message: String
    }

    /// The same command, with absolute paths.
    static func prepared(_ command: Command) throws(Refusal) -> Command {
        switch command {
        case .bindProgram(var binding):
            binding.program = try resolved(binding.program)
            return .bindProgram(binding)
        case .bindProcess(let process, _):
            guard kill(process.rawValue, 0) == 0 || cl_errno() != ESRCH else {
                throw Refusal(message: "\"\(process)\" is not a valid process id.")
            }
            return command
        case .createName(var settings):
            settings.server = try absolute(settings.server)
            settings.client = try absolute(settings.client)
            return .createName(settings)
        case .bootstrap(var bootstrap):
            try bootstrap.options.replacePaths(with: readable)
            return .bootstrap(bootstrap)
        default:
            return command
        }
    }

    /// A file in the current directory comes before those in PATH. spec: irm-cli §4
    private static func resolved(_ program: Word) throws(Refusal) -> Word {
        let slash = UInt8(ascii: "/")
        let isHere = !program.bytes.contains(slash) && ProgramPath.isHere(program.bytes)
        do throws(ManagementError) {
            return Word(try ProgramPath.resolve(isHere ? Array("./".utf8) + program.bytes : program.bytes))
        } catch {
            throw Refusal(message: error.reason)
        }
    }

    private static func absolute(_ paths: SecurityPaths) throws(Refusal) -> SecurityPaths {
        var paths = paths
        paths.encryption = try absolute(paths.encryption)
        paths.key = try absolute(paths.key)
        paths.certificate = try absolute(paths.certificate)
        return paths
    }

    private static func absolute(_ path: [UInt8]) throws(Refusal) -> [UInt8] {
        guard !path.isEmpty else { return path }
        do throws(Failure) {
            let absolute = try ProgramPath.absolute(path)
            guard absolute.count <= Limits.pathBytes else { throw Failure.nameTooLong }
            return absolute
        } catch {
            let text = String(cString: cl_error_text(error.errno))
            throw Refusal(message: "Failed to check path \(printable(path)): \(text).")
        }
    }

    /// Links stay as they are: a file that is replaced by turning a link shall be found anew.
    private static func readable(_ option: LayerOption, _ path: Word) throws(Refusal) -> Word {
        let slash = UInt8(ascii: "/")
        let absolute = path.bytes.first == slash ? path.bytes : ProgramPath.currentDirectory() + [slash] + path.bytes
        let reason =
            absolute.count > Limits.pathBytes ? String(cString: cl_error_text(ENAMETOOLONG)) : reasonNotToRead(absolute)
        if let reason {
            throw Refusal(message: "Cannot read \(option.row.word) file \(printable(path.bytes)): \(reason).")
        }
        return Word(absolute)
    }

    /// Nil: it can be read, by this process, now and again.
    private static func reasonNotToRead(_ path: [UInt8]) -> String? {
        let text = path.map(CChar.init(bitPattern:)) + [0]
        var status = stat()
        guard stat(text, &status) == 0 else { return String(cString: cl_error_text(cl_errno())) }
        if status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR) { return String(cString: cl_error_text(EISDIR)) }
        // Also a pipe of this shell, as in <(command): only this process has it.
        guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) else {
            return "it is not an ordinary file; write its contents to an ordinary file, which irmd can read again"
        }
        let descriptor = cl_open(text, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        guard descriptor >= 0 else { return String(cString: cl_error_text(-descriptor)) }
        defer { cl_close(descriptor) }
        let isOfThisProcess = ["/dev/fd/", "/dev/stdin", "/proc/"].contains { path.starts(with: Array($0.utf8)) }
        return isOfThisProcess || cl_is_made_up(descriptor)
            ? "irmd finds another file, or no file, at this path; give the path of an ordinary file" : nil
    }
}
