// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Testing
import Vocabulary

@testable import Platform

@Suite struct LogBacklogTests {
    private func line(_ level: LogLevel, _ count: Int = 10) -> LogBacklog.Line {
        LogBacklog.Line(level: level, bytes: [UInt8](repeating: 97, count: count))
    }

    @Test("lines beyond the bound are counted; those that are grave have room of their own")
    func lines() {
        var backlog = LogBacklog()
        for _ in 0..<Limits.logLines { backlog.append(line(.info)) }
        for _ in 0..<Limits.logLines { backlog.append(line(.error)) }
        let (lines, lost) = backlog.take()
        #expect(lines.count == Limits.logLines)
        #expect(lines.count { $0.level == .info } == Limits.logLines / 2)
        #expect(lost == Limits.logLines)
        #expect(backlog.isEmpty)
        #expect(backlog.take().lost == 0)
    }

    @Test("so are bytes")
    func bytes() {
        var backlog = LogBacklog()
        for _ in 0..<1_000 { backlog.append(line(.error, Limits.logLineBytes)) }
        let (lines, lost) = backlog.take()
        #expect(lines.count == Limits.logBytes / Limits.logLineBytes)
        #expect(lines.count + lost == 1_000)
    }
}

@Suite struct LogWriterTests {
    private static func numbered(_ number: Int) -> LogBacklog.Line {
        LogBacklog.Line(level: .error, bytes: Array("line \(number) of some length".utf8))
    }

    private func makePipe() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    private func makeWriter(_ descriptor: Int32) -> LogWriter {
        LogWriter(.descriptor(descriptor)) { lost in
            LogBacklog.Line(level: .warning, bytes: Array("lost \(lost)".utf8))
        }
    }

    /// Until a line that is no other than this.
    private func read(_ descriptor: Int32, until last: String) -> [String] {
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        let end = Array((last + "\n").utf8)
        while !text.suffix(end.count).elementsEqual(end) {
            let count = CLinux.read(descriptor, &part, part.count)
            guard count > 0 else { break }
            text += part.prefix(count)
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("nobody who has something to say waits for a pipe that nobody reads; what was lost is said when it is read")
    func full() throws {
        let (reader, descriptor) = try makePipe()
        let writer = makeWriter(descriptor)
        #expect(writer.start())
        let count = 200_000
        for number in 0..<count { writer.append(LogWriterTests.numbered(number)) }
        // It gives up, though nothing is read.
        writer.finish(by: Clock.now() + TimeSpan(milliseconds: 1))
        // The last line follows on the loss, once that is said.
        var lines: [String] = []
        while !lines.contains(where: { $0.hasPrefix("lost ") }) {
            var part = [UInt8](repeating: 0, count: 65_536)
            let got = CLinux.read(reader, &part, part.count)
            try #require(got > 0)
            lines += String(decoding: part.prefix(got), as: UTF8.self).split(separator: "\n").map(String.init)
        }
        writer.append(LogBacklog.Line(level: .error, bytes: Array("end".utf8)))
        lines += read(reader, until: "end")
        let lost = lines.compactMap { $0.hasPrefix("lost ") ? Int($0.dropFirst(5)) : nil }.reduce(0, +)
        #expect(lost > 0)
        cl_close(reader)
        cl_close(descriptor)
    }

    @Test("without a thread it writes where there is room, and waits for none")
    func withoutThread() throws {
        let (reader, descriptor) = try makePipe()
        let writer = makeWriter(descriptor)
        for number in 0..<20_000 {
            writer.append(LogWriterTests.numbered(number))
            writer.writeNow()
        }
        var part = [UInt8](repeating: 0, count: 1 << 20)
        #expect(CLinux.read(reader, &part, part.count) > 0)
        writer.append(LogBacklog.Line(level: .error, bytes: Array("end".utf8)))
        writer.writeNow()
        let lines = read(reader, until: "end")
        #expect(lines.contains { $0.hasPrefix("lost ") })
        cl_close(reader)
        cl_close(descriptor)
    }
}

@Suite struct LogFormatTests {
    private let plain = LogFormat(.standardOutput(tellsTime: false), program: "irmd", speaker: nil)

    private func text(_ line: LogBacklog.Line) -> String { String(decoding: line.bytes, as: UTF8.self) }

    @Test("a line: process, component, level, text")
    func line() {
        #expect(text(plain.line(.info, "irmd", ProcessID(42), "word")) == "==00042== irmd(II): word")
        #expect(text(plain.line(.error, "irmd", ProcessID(1_234_567), "w")) == "==1234567== irmd(EE): w")
    }

    @Test("an IPCP says its name, and lines can begin with the time")
    func names() throws {
        let format = LogFormat(.standardOutput(tellsTime: true), program: "ipcpd-local", speaker: "one")
        let line = text(format.line(.warning, "ipcpd/ipcp", ProcessID(7), "word"))
        #expect(line.hasSuffix(" ==00007== ipcpd/ipcp(WW): one: word"))
        let time = try #require(line.split(separator: " ").first)
        #expect(time.utf8.count == 27 && time.hasSuffix("Z"))
    }

    @Test("no line has control characters, none is longer than a pipe takes in one piece, none ends within a character")
    func bounds() {
        #expect(text(plain.line(.info, "irmd", ProcessID(1), "a\nb\u{1b}[2J")) == "==00001== irmd(II): a\\x0ab\\x1b[2J")
        for filler in 0..<4 {
            let long = String(repeating: "x", count: filler) + String(repeating: "€", count: 5_000)
            let line = plain.line(.info, "irmd", ProcessID(1), long)
            #expect(line.bytes.count <= Limits.logLineBytes - 2)
            #expect(!text(line).contains("\u{fffd}"))
            #expect(text(line).hasSuffix("..."))
        }
    }
}

@Suite struct LineLimitTests {
    private func at(_ milliseconds: UInt64) -> Instant {
        Instant(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
    }

    @Test("so many at once, then so many a second, and the number of the others is said")
    func rates() {
        var limit = LineLimit<Int>(most: 3, perSecond: 10)
        #expect(
            (0..<5).map { _ in limit.verdict(for: 1, now: at(0)) } == [.write, .write, .write, .suppress, .suppress])
        #expect(limit.verdict(for: 1, now: at(99)) == .suppress)
        #expect(limit.verdict(for: 1, now: at(100)) == .writeAfter(suppressed: 3))
        #expect(limit.verdict(for: 1, now: at(100)) == .suppress)
        #expect(
            (0..<4).map { _ in limit.verdict(for: 1, now: at(10_000)) }
                == [.writeAfter(suppressed: 1), .write, .write, .suppress])
    }

    @Test("what one has used up, others have not")
    func sources() {
        var limit = LineLimit<Int>(most: 1, perSecond: 1)
        #expect(limit.verdict(for: 1, now: at(0)) == .write)
        #expect(limit.verdict(for: 1, now: at(0)) == .suppress)
        #expect(limit.verdict(for: 2, now: at(0)) == .write)
    }

    @Test("what was suppressed is told also of those who are quiet since")
    func overdue() {
        var limit = LineLimit<Int>(most: 1, perSecond: 1)
        for _ in 0..<8 { _ = limit.verdict(for: 1, now: at(0)) }
        #expect(limit.overdue(now: at(500)).isEmpty)
        #expect(limit.overdue(now: at(1_000)).map(\.suppressed) == [7])
        #expect(limit.overdue(now: at(2_000)).isEmpty)
    }

    @Test("more sources than are told apart have to wait until others are quiet")
    func many() {
        var limit = LineLimit<Int>(most: 1, perSecond: 1)
        for source in 0..<Limits.logSources { #expect(limit.verdict(for: source, now: at(0)) == .write) }
        #expect(limit.verdict(for: -1, now: at(0)) == .suppress)
        #expect(limit.verdict(for: -1, now: at(1_000)) == .write)
    }
}
