// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation
import Testing

/// What sources, headers, pages and tests cite of the specification is there. `Specification/README.md` §4 says how.
@Suite struct CitationTests {
    struct Citation: Hashable {
        let document: String
        /// As `5.7`; nil stands for the whole document.
        let section: String?
    }

    /// The citations of a line: behind a marker come documents and sections, until the line ends.
    static func citations(in line: String) -> [Citation] {
        // Most lines have none, and this says so faster.
        guard line.contains("spec: ") || line.contains("design: ") else { return [] }
        guard let marker = line.firstMatch(of: /\b(?:spec|design): [a-z]/) else { return [] }
        var found: [Citation] = []
        var document = ""
        let part = /(?:spec|design): ([a-z][a-z0-9-]*)|([a-z][a-z0-9-]*) (?=§)|§(\d+(?:\.\d+)*)/
        let text = line[marker.range.lowerBound...]
        for match in text.matches(of: part) {
            if let section = match.output.3 {
                found.append(Citation(document: document, section: String(section)))
            } else if let name = match.output.1 ?? match.output.2 {
                document = String(name)
                let isWhole = match.output.1 != nil && !text[match.range.upperBound...].hasPrefix(" §")
                if isWhole { found.append(Citation(document: document, section: nil)) }
            }
        }
        return found
    }

    @Test(
        "citations are found in all their forms",
        arguments: [
            ("/// Text. spec: c-api §5.7", ["c-api 5.7"]),
            ("// spec: irm-cli §2 bootstrap", ["irm-cli 2"]),
            ("/// spec: oap §2, §3", ["oap 2", "oap 3"]),
            ("/// spec: irm-cli §2–§5", ["irm-cli 2", "irm-cli 5"]),
            ("/// spec: c-api §5, irmd §13", ["c-api 5", "irmd 13"]),
            ("/// spec: c-api §10 keepalive, design: flow-memory §4", ["c-api 10", "flow-memory 4"]),
            ("/// since there is none. spec: udp-layer", ["udp-layer"]),
            ("// spec: irmd §6, where the prototype could not.", ["irmd 6"]),
            ("# responds (spec: udp-layer §4.2), and a", ["udp-layer 4.2"]),
            ("let spec: Int = 3; the §4 of a law", []),
        ])
    func forms(_ line: String, _ expected: [String]) {
        let found = Self.citations(in: line).map { $0.document + ($0.section.map { " " + $0 } ?? "") }
        #expect(found == expected)
    }

    @Test func everyCitationLeadsToASection() {
        var sections: [String: Set<String>] = [:]
        for document in SourceTree.specification() {
            let headings = document.lines.compactMap { line in
                line.firstMatch(of: /^#{2,4} (\d+(?:\.\d+)*)\.?(?: |$)/).map { String($0.output.1) }
            }
            #expect(headings.count == Set(headings).count, "\(document.path) has two sections of one number")
            sections[document.name] = Set(headings)
        }
        var count = 0
        for file in SourceTree.citing() where !file.path.hasSuffix("/CitationTests.swift") {
            for (number, line) in file.lines.enumerated() {
                for citation in Self.citations(in: line) {
                    count += 1
                    let known = sections[citation.document]
                    #expect(
                        known != nil, "\(file.path):\(number + 1): there is no Specification/\(citation.document).md")
                    guard let known, let section = citation.section else { continue }
                    #expect(
                        known.contains(section),
                        "\(file.path):\(number + 1): \(citation.document).md has no section \(section)")
                }
            }
        }
        // Otherwise the citations were not found at all.
        #expect(count > 100)
    }

    @Test func theTablesOfTheSpecificationListItsDocuments() {
        let documents = Set(SourceTree.specification().map(\.name)).subtracting(["README"])
        let map = SourceTree.text("Specification/README.md")
        let listed = Set(map.matches(of: /(?m)^\| `([a-z0-9-]+)\.md` \|/).map { String($0.output.1) })
        #expect(documents.subtracting(listed) == [], "not in the tables of Specification/README.md")
        #expect(listed.subtracting(documents) == [], "in the tables of Specification/README.md, and not there")
    }
}
