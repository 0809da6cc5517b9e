// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Foundation

/// The files of the repository, as the rules look at them.
struct SourceTree {
    struct File {
        /// From the top of the repository.
        let path: String
        let lines: [String]

        /// Sources, floor, target.
        private var places: [Substring] { path.split(separator: "/") }
        var floor: String { places.count > 3 ? String(places[1]) : "" }
        var target: String { places.count > 3 ? String(places[2]) : "" }
        var isSwift: Bool { path.hasSuffix(".swift") }

        /// The modules that it imports.
        var imports: [String] {
            lines.compactMap { line in
                let words = line.split(separator: " ")
                guard let position = words.firstIndex(of: "import"), position <= 1, !line.hasPrefix("//") else {
                    return nil
                }
                return words.last.map { String($0.split(separator: ".")[0]) }
            }
        }
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func files(in folder: String) -> [File] {
        let top = root.appendingPathComponent(folder)
        guard let paths = FileManager.default.enumerator(atPath: top.path) else { return [] }
        return paths.compactMap { $0 as? String }.sorted().compactMap { path in
            guard [".swift", ".c", ".h"].contains(where: path.hasSuffix),
                let text = try? String(contentsOf: top.appendingPathComponent(path), encoding: .utf8)
            else { return nil }
            return File(path: folder + "/" + path, lines: text.components(separatedBy: "\n"))
        }
    }

    /// Everything that may cite the specification: all texts of the repository that people write.
    static func citing() -> [File] {
        let folders = [
            "Benchmarks", "Documentation", "Examples", "Include", "Scripts", "Sources", "Specification", "Tests",
            "bindings", "man",
        ]
        let top = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        let documents = top.filter { $0.hasSuffix(".md") || $0 == "Package.swift" }
        return folders.flatMap { texts(in: $0) } + documents.sorted().compactMap { file($0) }
    }

    /// The documents of the specification, by their names without `.md`.
    static func specification() -> [(name: String, path: String, lines: [String])] {
        texts(in: "Specification").filter { $0.path.hasSuffix(".md") }.map { file in
            let name = file.path.split(separator: "/").dropFirst().joined(separator: "/").dropLast(3)
            return (String(name), file.path, file.lines)
        }
    }

    /// All documents in Markdown, but those of the Swift library, whose links are of another kind.
    static func documents() -> [File] { citing().filter { $0.path.hasSuffix(".md") && !$0.path.contains(".docc/") } }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).standardized.path)
    }

    /// The names of the directories in a folder.
    static func folders(in folder: String) -> [String] {
        let top = root.appendingPathComponent(folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: top.path)) ?? []
        return names.sorted().filter { name in
            var isFolder: ObjCBool = false
            let path = top.appendingPathComponent(name).path
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
                && !name.hasPrefix(".") && name != "__pycache__"
        }
    }

    /// The files below a folder that are text, without what was built there.
    private static func texts(in folder: String) -> [File] {
        let top = root.appendingPathComponent(folder)
        guard let paths = FileManager.default.enumerator(atPath: top.path) else { return [] }
        let built: Set = [".build", "build", "__pycache__"]
        return paths.compactMap { $0 as? String }.sorted().compactMap { path in
            let isBuilt = path.split(separator: "/").contains { built.contains(String($0)) || $0.hasPrefix(".") }
            return isBuilt ? nil : file(folder + "/" + path)
        }
    }

    private static func file(_ path: String) -> File? {
        guard let text = try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8) else { return nil }
        return File(path: path, lines: text.components(separatedBy: "\n"))
    }

    static func text(_ path: String) -> String {
        (try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)) ?? ""
    }
}
