// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation
import Testing
import Vocabulary

/// ouroboros-errors(7) and the article of the Swift library list all errors, and say the same of each.
@Suite struct ErrorPagesTests {
    struct Entry: Equatable {
        let symbol: String
        let number: Int32
        /// As messages say it.
        let words: String
        let cause: String
        let remedy: String
    }

    private static func text(_ path: String) throws -> String {
        let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { path, _ in path.deletingLastPathComponent() }
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Cause and remedy of what follows the heading of an entry.
    private static func entry(_ symbol: String, _ number: String, _ words: String, _ body: String) throws -> Entry {
        let parts = body.split(separator: " ").joined(separator: " ").components(separatedBy: "Remedy: ")
        try #require(parts.count == 2 && parts[0].hasPrefix("Cause: "), "\(symbol) has no cause or no remedy: \(body)")
        let cause = parts[0].dropFirst(7).trimmingCharacters(in: .whitespaces)
        return Entry(
            symbol: symbol, number: try #require(Int32(number)), words: words, cause: cause,
            remedy: parts[1].trimmingCharacters(in: .whitespaces))
    }

    private static func page() throws -> [Entry] {
        let page = try text("man/ouroboros-errors.7").replacing("\\-", with: "-")
        return try page.components(separatedBy: "\n.It Er ").dropFirst().map { item in
            let lines = item.components(separatedBy: "\n.El")[0].components(separatedBy: "\n")
            let head = try #require(lines[0].wholeMatch(of: /([A-Z]+) Pq (\d+): (.*)/), "\(lines[0])")
            let flat = lines.dropFirst().filter { $0 != ".Pp" }.map(plain).joined(separator: " ")
            return try entry(String(head.output.1), String(head.output.2), String(head.output.3), flat)
        }
    }

    /// A line of the page as a reader sees it: pages as `flow_alloc(3)`, punctuation where it belongs.
    private static func plain(_ line: String) -> String {
        guard line.hasPrefix(".") else { return line }
        var words = line.dropFirst().split(separator: " ").map(String.init)
        let end = words.last.map { [".", ",", ";", ":"].contains($0) } == true ? words.removeLast() : ""
        switch words.removeFirst() {
        case "Xr" where words.count == 2: return "\(words[0])(\(words[1]))" + end
        case "Pq": return "(" + words.dropFirst().joined(separator: " ") + ")" + end
        default: return words.joined(separator: " ") + end
        }
    }

    private static func article() throws -> [Entry] {
        let article = try text("Sources/Interfaces/Ouroboros/Ouroboros.docc/Errors.md")
        return try article.components(separatedBy: "\n**`").dropFirst().map { item in
            let head = try #require(item.prefixMatch(of: /([A-Z]+)` \((\d+)\): (.*)\.\*\*\n/), "\(item.prefix(40))")
            let body = item[head.range.upperBound...].components(separatedBy: "\n###")[0]
            let flat = body.replacing("\n", with: " ").replacing("`", with: "")
            return try entry(String(head.output.1), String(head.output.2), String(head.output.3), flat)
        }
    }

    @Test("the page and the article have the same entries, in the order of the numbers")
    func pagesAgree() throws {
        let (page, article) = (try Self.page(), try Self.article())
        for (one, other) in zip(page, article) {
            #expect(one.cause == other.cause, "cause of \(one.symbol)")
            #expect(one.remedy == other.remedy, "remedy of \(one.symbol)")
            #expect(one.symbol == other.symbol && one.number == other.number && one.words == other.words)
        }
        #expect(page.count == article.count)
        #expect(page.map(\.number) == page.map(\.number).sorted())
    }

    @Test("every error that the library knows, and every error of the header, has an entry")
    func everyErrorIsListed() throws {
        let listed = try Self.page()
        let numbers = Set(listed.map(\.number))
        let known = try Self.text("Sources/Ground/Vocabulary/Failure.swift").matches(of: /Failure\(errno: (\d+)\)/)
        #expect(known.count > 30)
        for match in known {
            let number = try #require(Int32(match.output.1))
            #expect(numbers.contains(number), "ouroboros-errors(7) lacks \(number): \(Failure(errno: number))")
        }
        #expect(numbers == Set(known.compactMap { Int32($0.output.1) }), "an entry that no failure has")
        let header = try Self.text("Include/ouroboros/errno.h").matches(of: /#define (E[A-Z]+) (\d+)/)
        #expect(header.count == 10)
        for match in header {
            let number = try #require(Int32(match.output.2))
            #expect(listed.contains { $0.symbol == match.output.1 && $0.number == number }, "\(match.output.1)")
        }
    }

    @Test("an entry has the words of the messages")
    func words() throws {
        for entry in try Self.page() {
            #expect(Failure(errno: entry.number).description == entry.words, "\(entry.symbol)")
        }
    }
}
