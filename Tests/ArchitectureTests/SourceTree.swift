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

    static func text(_ path: String) -> String {
        (try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)) ?? ""
    }
}
