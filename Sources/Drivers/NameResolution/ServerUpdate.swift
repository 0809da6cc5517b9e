// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import Shims
import Vocabulary

/// Tells a DNS server by nsupdate(1), as the prototype does. spec: udp-layer §5.1
enum ServerUpdate {
    private static let programs = ["/usr/bin/nsupdate", "/usr/local/bin/nsupdate", "/usr/sbin/nsupdate"]

    enum Outcome: Hashable {
        case done
        case interrupted
        case failed(String)
    }

    /// Waits until it is done, or killed at the deadline. Readability of `interruption` is a deadline, too.
    static func send(_ update: DNSUpdate, until deadline: Instant, interruption: Int32? = nil) -> Outcome {
        guard deadline > Clock.now() else { return .failed("the time was up before nsupdate was started") }
        guard let program = programs.first(where: { access($0, X_OK) == 0 }) else {
            return .failed("nsupdate is not installed")
        }
        do throws(Failure) {
            return try outcome(of: try start(program, update), deadline, interruption)
        } catch {
            return .failed("\(error)")
        }
    }

    /// One message to the server, so that all of it is done or nothing.
    static func script(_ update: DNSUpdate) -> String {
        let server = update.server.addressText + (update.server.port == 53 ? "" : " \(update.server.port)")
        // A record has no room for a scope.
        let address = DatagramAddress(update.address.bytes, port: 0)?.addressText ?? ""
        let record = (update.address.family == .ipv4 ? "A " : "AAAA ") + address
        let lines = update.labels.map { label in
            let label = String(decoding: label, as: UTF8.self)
            return switch update.change {
            case .add(let seconds): "update add \(label) \(seconds) \(record)\n"
            case .delete: "update delete \(label) \(record)\n"
            }
        }
        return "server \(server)\n\(lines.joined())send\nquit\n"
    }

    private static func start(_ program: String, _ update: DNSUpdate) throws(Failure) -> ProcessID {
        // A file and no pipe: that could be full before nsupdate reads.
        let script = Array(ServerUpdate.script(update).utf8)
        let result = script.withUnsafeBytes { cl_memfd_holding("nsupdate", $0.baseAddress, $0.count) }
        guard result >= 0 else { throw Failure(result: Int(result)) }
        let input = Descriptor(owning: result)
        // Two tries of a second each for each of its exchanges: that for the zone, and the update.
        var arguments = ["nsupdate", "-t", "5", "-u", "1", "-r", "1"].map { Array($0.utf8) }
        if !update.key.isEmpty { arguments += [Array("-k".utf8), update.key] }
        var spawn = Spawn(path: Array(program.utf8), arguments: arguments)
        if !update.key.isEmpty { spawn.identity = try identity(update.rights) }
        do throws(RefusedCall) {
            return try spawn.start(Spawn.Streams(input: input.number))
        } catch {
            throw error.failure
        }
    }

    /// Of a program that reads what the user has named; nil: ours.
    private static func identity(_ rights: FileRights) throws(Failure) -> Spawn.Identity? {
        if rights.user == .root || rights.user.rawValue == geteuid() { return nil }
        guard geteuid() == 0 else { throw .notPermitted }
        return Spawn.Identity(user: rights.user, group: rights.group, groups: rights.groups)
    }

    /// The thread that has started it waits for it: with that thread it would end.
    private static func outcome(
        of process: ProcessID, _ deadline: Instant, _ interruption: Int32?
    ) throws(Failure) -> Outcome {
        let handle = try ProcessHandle(process)
        let ending = wait(for: handle, deadline, interruption)
        if ending != .ended {
            handle.signal(SIGKILL)
            _ = wait(for: handle, nil, nil)
        }
        switch (ProcessHandle.reap(process), ending) {
        case (.exited(0), _): return .done
        case (_, .interrupted): return .interrupted
        case (_, .late): return .failed("nsupdate took too long")
        case (.exited(let status), .ended): return .failed("nsupdate ended with status \(status)")
        case (.killed(let signal), .ended): return .failed("nsupdate was killed by signal \(signal)")
        case (nil, .ended): return .failed("nsupdate has ended, but its exit status is unknown")
        }
    }

    private enum Ending {
        case ended
        case interrupted
        case late
    }

    private static func wait(
        for process: borrowing ProcessHandle, _ deadline: Instant?, _ interruption: Int32?
    ) -> Ending {
        // A descriptor of -1 is none. Without one of the process, it is looked at again and again.
        var polls = [process.descriptor ?? -1, interruption ?? -1].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        let longest: Int32 = process.descriptor == nil ? 20 : .max
        while true {
            let left = deadline.map { Int32(clamping: $0.since(Clock.now()).nanoseconds / 1_000_000) } ?? .max
            let result = poll(&polls, nfds_t(polls.count), min(left, longest))
            // No signal is handled here, but a debugger may interrupt.
            if result < 0, cl_errno() == EINTR { continue }
            if polls[0].revents != 0 || process.isOver { return .ended }
            if polls[1].revents != 0 { return .interrupted }
            if let deadline, deadline <= Clock.now() { return .late }
        }
    }
}
