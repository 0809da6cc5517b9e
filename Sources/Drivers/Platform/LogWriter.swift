// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Synchronization
import Vocabulary

/// Writes the lines of a log on a thread of its own, because whoever reads them may have stopped: a pipe, a terminal
/// after Ctrl-S, the service of the system's log, a disk. Who has something to say never waits. Lines that nobody took
/// are counted, and the log says so when it can be written again.
///
/// The log is never made non-blocking: others have it open too, and it would become so for them.
final class LogWriter: Sendable {
    enum Sink: Sendable {
        case system
        case descriptor(Int32)
    }

    private struct State: Sendable {
        var backlog = LogBacklog()
        /// The thread has lines that it has not written yet.
        var isWriting = false
    }

    /// What is known of earlier writes; the writer's alone.
    private struct Past: Sendable {
        var lost = 0
        /// The last line was written in part.
        var isTorn = false
    }

    private let sink: Sink
    /// The line that says how many were lost.
    private let lossLine: @Sendable (Int) -> LogBacklog.Line
    /// Held for a few instructions, and around no call that waits.
    private let state = Mutex(State())
    /// Of the writer without a thread.
    private let past = Mutex(Past())
    /// Wakes the thread; negative if there is none.
    private let bell: Int32

    init(_ sink: Sink, lossLine: @escaping @Sendable (Int) -> LogBacklog.Line) {
        self.sink = sink
        self.lossLine = lossLine
        bell = cl_eventfd()
    }

    deinit { if bell >= 0 { cl_close(bell) } }

    /// False: no thread can be had here. Then lines are written where they arise, and lost where that would mean to wait.
    func start() -> Bool {
        bell >= 0 && (try? Thread.start { self.serve() }) != nil
    }

    func append(_ line: LogBacklog.Line) {
        state.withLock { $0.backlog.append(line) }
        EventCounter.raise(bell)
    }

    /// For the writer without a thread.
    func writeNow() { past.withLock { write(&$0, mayWait: false) } }

    /// Gives the log a last chance: returns when all is written, or at the deadline.
    func finish(by deadline: Instant) {
        while !isIdle, Clock.now() < deadline { cl_sleep_nanoseconds(1_000_000) }
    }

    private var isIdle: Bool { state.withLock { !$0.isWriting && $0.backlog.isEmpty } }

    private func serve() {
        var past = Past()
        while true {
            // Whatever wakes it, it looks.
            _ = cl_poll_one(bell, Int16(POLLIN), -1, nil, nil)
            EventCounter.clear(bell)
            write(&past, mayWait: true)
        }
    }

    private func write(_ past: inout Past, mayWait: Bool) {
        let (lines, lost) = state.withLock { state in
            state.isWriting = true
            return state.backlog.take()
        }
        for line in lines {
            sayLoss(&past, mayWait)
            if !write(line, &past, mayWait) { past.lost += 1 }
        }
        past.lost += lost
        sayLoss(&past, mayWait)
        state.withLock { $0.isWriting = false }
    }

    private func sayLoss(_ past: inout Past, _ mayWait: Bool) {
        guard past.lost > 0, write(lossLine(past.lost), &past, mayWait) else { return }
        past.lost = 0
    }

    private func write(_ line: LogBacklog.Line, _ past: inout Past, _ mayWait: Bool) -> Bool {
        switch sink {
        case .system:
            return (line.bytes + [0]).withUnsafeBytes { cl_system_log($0.baseAddress, line.bytes.count, mayWait) } == 0
        case .descriptor(let descriptor):
            // One write for a line, and no longer than what a pipe takes in one piece, so that lines of several daemons
            // do not mix.
            let newline = [UInt8(ascii: "\n")]
            let bytes = (past.isTorn ? newline : []) + line.bytes + newline
            var written = 0
            let result = bytes.withUnsafeBytes {
                cl_write_line(descriptor, $0.baseAddress, $0.count, mayWait, &written)
            }
            if written > 0 { past.isTorn = result != 0 }
            return result == 0
        }
    }
}
