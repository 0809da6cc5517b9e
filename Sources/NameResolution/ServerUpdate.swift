// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import IPCP
import Platform
import Vocabulary

/// Tells a DNS server by nsupdate(1), as the prototype does. spec: udp-layer §5.1
enum ServerUpdate {
    private static let programs = ["/usr/bin/nsupdate", "/usr/local/bin/nsupdate", "/usr/sbin/nsupdate"]

    /// Waits until it is done. Nil, or what went wrong.
    static func send(_ update: DNSUpdate) -> String? {
        guard let program = programs.first(where: { access($0, X_OK) == 0 }) else {
            return "nsupdate is not installed"
        }
        do throws(Failure) {
            return try ending(of: try start(program, update))
        } catch {
            return "\(error)"
        }
    }

    /// Deleted is the own address alone, because others may have registered the same name.
    static func script(_ update: DNSUpdate) -> String {
        let server = update.server.addressText + (update.server.port == 53 ? "" : " \(update.server.port)")
        let label = String(decoding: update.label, as: UTF8.self)
        let type = update.family == .ipv4 ? "A" : "AAAA"
        let line =
            switch update.change {
            case .add(let address, let seconds): "add \(label) \(seconds) \(type) \(text(address))"
            case .delete(let address): "delete \(label) \(type) \(text(address))"
            }
        return "server \(server)\nupdate \(line)\nsend\nquit\n"
    }

    private static func text(_ address: [UInt8]) -> String {
        DatagramAddress(address, port: 0)?.addressText ?? ""
    }

    private static func start(_ program: String, _ update: DNSUpdate) throws(Failure) -> ProcessID {
        var ends: [Int32] = [-1, -1]
        let result = cl_pipe(&ends)
        guard result == 0 else { throw Failure(result: Int(result)) }
        let input = Descriptor(owning: ends[0])
        // So few bytes fit an empty pipe, which nobody has to read meanwhile, and are followed by the end.
        let script = Array(ServerUpdate.script(update).utf8)
        let written = Int(script.withUnsafeBytes { cl_write_all(ends[1], $0.baseAddress, $0.count) })
        cl_close(ends[1])
        guard written == 0 else { throw Failure(result: written) }
        // Two tries of a second each for each of its exchanges: that for the zone, and the update.
        var arguments = ["nsupdate", "-t", "5", "-u", "1", "-r", "1"].map { Array($0.utf8) }
        if !update.key.isEmpty { arguments += [Array("-k".utf8), update.key] }
        return try Spawn(path: Array(program.utf8), arguments: arguments).start(input: input.number)
    }

    /// The thread that has started it waits for it: with that thread it would end.
    private static func ending(of process: ProcessID) throws(Failure) -> String? {
        let handle = try ProcessHandle(process)
        var isLate = false
        if !hasEnded(handle.descriptor.number, Int32(Limits.updateTimeout.nanoseconds / 1_000_000)) {
            isLate = true
            handle.signal(SIGKILL)
            _ = hasEnded(handle.descriptor.number, -1)
        }
        switch ProcessHandle.reap(process) {
        case .exited(0): return nil
        case .exited(let status): return "nsupdate ended with status \(status)"
        case .killed(let signal): return isLate ? "nsupdate took too long" : "nsupdate was killed by signal \(signal)"
        case nil: return "nsupdate was lost"
        }
    }

    private static func hasEnded(_ descriptor: Int32, _ milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let result = CLinux.poll(&poll, 1, milliseconds)
            // No signal is handled here, but a debugger may interrupt.
            guard result < 0, cl_errno() == EINTR else { return result > 0 }
        }
    }
}
