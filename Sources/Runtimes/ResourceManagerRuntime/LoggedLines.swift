// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Platform
import ResourceManagement
import Vocabulary

/// Who causes a line of the log, and of which kind it is: each has a limit of its own, so that nobody fills the log, and
/// nobody keeps the lines of others out of it.
struct LineSource: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Processes that come and go.
        case process
        case flow
        /// What a process should not have sent.
        case peer
        case management
        /// Starts and ends of programs of users.
        case program
        /// What a program writes.
        case output
        /// Flow requests of other hosts.
        case remote
        case memory
        /// What irmd has to say of itself and of its IPCPs.
        case own
    }

    let user: UserID?
    let kind: Kind
}

extension ManagerDaemon {
    func write(_ report: Report) {
        if let host = report.host, report.level < .debug, report.level <= log.level,
            !hostLines.isAllowed(host, now: Clock.now())
        {
            return
        }
        write(report.level, report.kind, report.component, of: culprit ?? user(of: report), report.text)
    }

    /// Of a process that did what it should not.
    func write(_ level: LogLevel, _ component: String, _ text: @autoclosure () -> String) {
        write(level, .peer, component, of: culprit, text())
    }

    func write(_ level: LogLevel, _ kind: LineSource.Kind, _ component: String, _ text: @autoclosure () -> String) {
        write(level, kind, component, of: culprit, text())
    }

    /// What a program of a user wrote.
    func write(_ line: String, of output: ProgramOutput) {
        guard log.level >= .info, isAllowed(LineSource(user: output.user, kind: .output)) else { return }
        log.write(.info, output.name, of: output.process, line)
    }

    private func write(
        _ level: LogLevel, _ kind: LineSource.Kind, _ component: String, of user: UserID?,
        _ text: @autoclosure () -> String
    ) {
        guard level <= log.level else { return }
        if isLimited(level, kind, user), !isAllowed(LineSource(user: user, kind: kind)) { return }
        log.write(level, component, text())
    }

    /// Lines at the level debug are asked for. What root does, or the user that irmd runs as, is limited where it is what
    /// every user can do.
    private func isLimited(_ level: LogLevel, _ kind: LineSource.Kind, _ user: UserID?) -> Bool {
        guard level < .debug else { return false }
        let isTrusted = user.map { $0 == UserID(0) || $0 == UserID(geteuid()) }
        switch kind {
        case .peer, .flow, .remote, .memory, .output: return true
        case .process, .management, .program: return isTrusted != true
        case .own: return false
        }
    }

    private func isAllowed(_ source: LineSource) -> Bool {
        switch limit.verdict(for: source, now: Clock.now()) {
        case .write: return true
        case .writeAfter(let suppressed):
            sayOf(suppressed, source)
            return true
        case .suppress: return false
        }
    }

    /// Of those who are quiet now.
    func tellSuppressed(_ now: Instant) {
        let unsaid = hostLines.takeUnsaid(now: now)
        if unsaid > 0 { log.write(.warning, "irmd", "\(unsaid) more lines of other hosts were not written.") }
        for (source, suppressed) in limit.overdue(now: now) { sayOf(suppressed, source) }
    }

    private func sayOf(_ suppressed: Int, _ source: LineSource) {
        let whose = source.user.map { " of user \($0)" } ?? ""
        log.write(.warning, "irmd", "\(suppressed) more lines (\(source.kind))\(whose) were not written.")
    }

    /// Where the event does not say it, the process that the report is about may.
    private func user(of report: Report) -> UserID? { report.process.flatMap { watches[$0]?.user } }

    /// What works without, but not all of it.
    func sayWhatIsMissing() {
        let handle = cl_pidfd_open(getpid())
        if handle >= 0 { return cl_close(handle) }
        let why = Failure(result: Int(handle))
        let text = "pidfd_open: \(why). The death of a process may be noticed up to 1 s late; allow irmd that call."
        log.write(.warning, "irmd", text)
    }

    // The runtime directory.

    func addSite() throws(Failure) {
        if isListening { try loop.add(site.listener, token: Source.listener.token()) }
        if let watch = site.watch { try loop.add(watch.number, token: Source.site.token()) }
    }

    /// Makes again what was removed. Who waits at the old socket is served first.
    func lookAfterSite() {
        guard !site.isInOrder else { return }
        acceptConnections()
        if isListening { loop.remove(site.listener) }
        if let watch = site.watch { loop.remove(watch.number) }
        for notice in site.restore() { log.write(notice.level, "irmd", notice.text) }
        do throws(Failure) {
            try addSite()
        } catch {
            log.write(.error, "irmd", "No new connections can be accepted: epoll_ctl: \(error).")
        }
    }
}

extension Report {
    /// That has caused the line.
    fileprivate var host: [UInt8]? {
        switch self {
        case .flow(.requestNotAuthentic(_, _, let host)), .flow(.arrivalRejected(_, _, let host)): host
        case .flow(.arrivalFailed(_, let host, _)): host
        default: nil
        }
    }

    fileprivate var kind: LineSource.Kind {
        switch self {
        case .stopping, .stopped: .own
        case .process: .process
        case .naming, .refused: .management
        case .peer: .peer
        case .flow(.requestNotAuthentic), .flow(.arrivalRejected), .flow(.arrivalFailed): .remote
        case .flow(.requestArrived): .remote
        case .flow: .flow
        case .supervision(let report):
            switch report {
            case .instantiated, .starting, .startFailed, .programEnded: .program
            case .ipcpUnknown, .ipcpRefused, .ipcpNotSpawned: .management
            case .ipcpCreated, .ipcpBootFailed, .ipcpVersionDiffers, .ipcpBootstrapped, .ipcpEnrolled: .own
            case .ipcpConnected, .ipcpDisconnected, .ipcpSilent, .ipcpDied, .ipcpRemoved: .own
            }
        }
    }

    fileprivate var process: ProcessID? {
        switch self {
        case .process(.added(let process, _)), .process(.removed(let process)), .process(.replaced(let process)):
            process
        case .flow(.failed(let process, _, _)), .flow(.timedOut(let process, _)): process
        case .flow(.acceptorRefused(let process, _, _)): process
        case .peer(.versionRefused(let process, _)), .peer(.unexpectedMessage(let process)): process
        case .peer(.notPermitted(let process, _)): process
        default: nil
        }
    }
}
