// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation
import Testing

/// What the documents say of the repository is there: targets, files, types and links.
@Suite struct DocumentTests {
    struct Target: Hashable {
        let floor: String
        let name: String
    }

    /// The targets of `Package.swift`, by its lists of floors.
    static func declaredTargets() -> Set<Target> {
        let manifest = SourceTree.text("Package.swift").components(separatedBy: "/// What tests and benchmarks use")[0]
        var found: Set<Target> = []
        for list in manifest.components(separatedBy: "= floor(").dropFirst() {
            guard let floor = list.firstMatch(of: /"([A-Za-z]+)"/) else { continue }
            for target in list.matches(of: /\.(?:target|executableTarget|systemLibrary)\(\s*name: "([^"]+)"/) {
                found.insert(Target(floor: String(floor.output.1), name: String(target.output.1)))
            }
        }
        return found
    }

    @Test func theTableOfTargetsIsThatOfThePackage() {
        let rows = Tables.rows(of: "ARCHITECTURE.md", below: "| floor | target |")
        var listed: [Target] = []
        for row in rows where row.count > 1 {
            listed += row[1].components(separatedBy: ", ").map { Target(floor: row[0], name: $0) }
        }
        let declared = Self.declaredTargets()
        #expect(declared.count > 30)
        #expect(listed.count == Set(listed).count, "a target has two rows")
        #expect(declared.subtracting(listed) == [], "in Package.swift, and without a row in ARCHITECTURE.md")
        #expect(Set(listed).subtracting(declared) == [], "a row of ARCHITECTURE.md, and not in Package.swift")
    }

    /// The documents of people, without the pages and the documentation of the Swift library.
    static let documents = SourceTree.documents()

    @Test func linksLeadSomewhere() {
        var count = 0
        for document in Self.documents {
            for (number, line) in document.lines.enumerated() {
                for link in line.matches(of: /\]\(([^()\s#]*)(#[^()\s]*)?\)/) {
                    let path = String(link.output.1)
                    guard !path.contains("://") else { continue }
                    count += 1
                    let folder = document.path.split(separator: "/").dropLast().joined(separator: "/")
                    let target = path.isEmpty ? document.path : folder.isEmpty ? path : folder + "/" + path
                    #expect(
                        SourceTree.exists(target), "\(document.path):\(number + 1): there is no \(path)")
                    guard let anchor = link.output.2?.dropFirst() else { continue }
                    let anchors = SourceTree.text(target).components(separatedBy: "\n").compactMap(Self.anchor)
                    #expect(
                        anchors.contains(String(anchor)), "\(document.path):\(number + 1): no heading #\(anchor)")
                }
            }
        }
        #expect(count > 50)
    }

    /// How a heading is addressed.
    private static func anchor(_ line: String) -> String? {
        guard line.hasPrefix("#") else { return nil }
        let title = line.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
        return String(
            title.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" }.map { $0 == " " ? "-" : $0 })
    }

    @Test func pathsInDocumentsAreThere() {
        let roots = "Benchmarks|Documentation|Examples|Include|Scripts|Sources|Specification|Tests|bindings|man|systemd"
        guard let path = try? Regex("`((?:\(roots))/[A-Za-z0-9_./+-]+)`") else { return }
        for document in Self.documents {
            for (number, line) in document.lines.enumerated() {
                for match in line.matches(of: path) {
                    guard let found = match.output[1].substring else { continue }
                    #expect(SourceTree.exists(String(found)), "\(document.path):\(number + 1): there is no \(found)")
                }
            }
        }
    }

    /// `Target/File` in the documents of the inside is a file of that target, and a type is one of the sources.
    @Test func filesAndTypesThatTheMapNamesAreThere() {
        let targets = Set(RuleTests.sources.map(\.target))
        var files: Set<String> = []
        var words: Set<String> = []
        for file in RuleTests.sources {
            let name = file.path.split(separator: "/").dropFirst(3).joined(separator: "/")
            files.formUnion([file.target + "/" + name, file.target + "/" + name.replacing(/\.(swift|c|h)$/, with: "")])
        }
        for file in RuleTests.sources + SourceTree.files(in: "Tests") + SourceTree.files(in: "Include") {
            for line in file.lines {
                words.formUnion(line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
            }
        }
        let inside = Self.documents.filter { $0.path == "ARCHITECTURE.md" || $0.path.hasPrefix("Documentation/") }
        #expect(inside.count > 40)
        for document in inside {
            for (number, line) in document.lines.enumerated() {
                for match in line.matches(of: /`([A-Z][A-Za-z0-9_]+)([.\/+])?([A-Za-z0-9_+.\/-]*)`/) {
                    let (first, rest) = (String(match.output.1), String(match.output.3))
                    let place = "\(document.path):\(number + 1)"
                    if match.output.2 == "/", targets.contains(first) {
                        #expect(files.contains(first + "/" + rest), "\(place): there is no \(first)/\(rest)")
                    } else if match.output.2 != "/", !SourceTree.exists(first + "." + rest),
                        !Self.foreign.contains(first)
                    {
                        let isFile = files.contains { $0.hasSuffix("/" + first) }
                        #expect(isFile || words.contains(first), "\(place): there is no \(first)")
                        #expect(rest.isEmpty || words.contains(rest), "\(place): there is no \(first).\(rest)")
                    }
                }
            }
        }
    }

    /// Names of other systems.
    private static let foreign: Set = ["OptionSet", "BufferError", "FUTEX_REQUEUE", "RWF_NOWAIT"]

    @Test func everyDecisionIsInTheIndex() {
        let decisions = Self.documents.map(\.path).filter { $0.hasPrefix("Documentation/decisions/") }
        let index = SourceTree.text("Documentation/decisions/README.md")
        for path in decisions where !path.hasSuffix("README.md") {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            #expect(index.contains("(\(name))"), "\(name) is not in the index")
            let title = SourceTree.text(path).prefix { $0 != "\n" }
            let number = name.prefix(4)
            #expect(title.hasPrefix("# \(number). "), "\(name): the title has another number")
            #expect(
                index.contains("| \(number) | [\(title.dropFirst(8))](\(name)) |"),
                "\(name): another title in the index")
        }
    }

    @Test func everyScriptOfTestsIsRunByCheck() {
        let check = SourceTree.text("check")
        // Fuzzing takes as long as one lets it.
        for folder in SourceTree.folders(in: "Tests") where folder != "Fuzz" {
            guard SourceTree.exists("Tests/\(folder)/run") else { continue }
            let isRun = check.contains("Tests/\(folder)/run") || check.contains("\"$tests\"/\(folder)/run")
            #expect(isRun, "./check does not run Tests/\(folder)/run")
        }
    }

    @Test func everyTestIsInTheTableOfTests() {
        let table = SourceTree.text("Tests/README.md")
        for folder in SourceTree.folders(in: "Tests") {
            #expect(table.contains("`Tests/\(folder)`"), "Tests/README.md does not say what Tests/\(folder) is")
        }
    }
}

/// Tables of Markdown.
enum Tables {
    /// The cells of the rows below a heading that begins so, without the line of dashes.
    static func rows(of path: String, below heading: String) -> [[String]] {
        let lines = SourceTree.text(path).components(separatedBy: "\n")
        guard let start = lines.firstIndex(where: { $0.hasPrefix(heading) }) else { return [] }
        return lines[(start + 1)...].prefix { $0.hasPrefix("|") }.dropFirst().map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
    }
}
