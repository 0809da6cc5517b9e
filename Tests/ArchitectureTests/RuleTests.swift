// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing

/// The rules of the house, as far as a program can see whether they are kept. ARCHITECTURE.md says why they are there.
@Suite struct RuleTests {
    /// What each target may import. Targets of the same row do not know each other.
    static let allowed: [String: Set<String>] = {
        let ground: Set = ["Vocabulary", "Bytes"]
        let driver: Set = ["Vocabulary", "Bytes", "CLinux", "Platform"]
        // Programs that use flows do so through the C interface.
        let program: Set = ["Vocabulary", "CLinux", "Platform", "ToolSupport", "COuroboros", "CFlowControl"]
        return [
            "Vocabulary": ["HeapModule"],
            "Bytes": ["Vocabulary"],
            "Wire": ground,
            "LocalProtocol": ground,
            "IPCP": ground.union(["LocalProtocol"]),
            "Authentication": ground.union(["Wire"]),
            "ResourceManagement": ground.union([
                "LocalProtocol", "Authentication", "FlowProtocol", "DequeModule", "OrderedCollections",
            ]),
            "FlowProtocol": ground,
            "Forwarding": ["Vocabulary", "IPCP", "DequeModule"],
            "Simulation": ["Vocabulary", "FlowProtocol", "HeapModule"],
            "Shims": ground.union(["Wire", "IPCP", "LocalProtocol", "DequeModule"]),
            "Platform": ["Vocabulary", "CLinux", "Synchronization"],
            "Cryptography": ["Vocabulary", "Wire", "Authentication", "COpenSSL"],
            "NameResolution": driver.union(["Shims", "Cryptography", "CCares", "DequeModule", "Synchronization"]),
            "FlowMemory": ["Vocabulary", "CLinux", "Platform"],
            "FlowRuntime": driver.union(["LocalProtocol", "FlowProtocol", "FlowMemory"]),
            "IPCPRuntime": driver.union([
                "LocalProtocol", "IPCP", "Forwarding", "Shims", "FlowRuntime", "NameResolution", "DequeModule",
            ]),
            "ResourceManagerRuntime": driver.union([
                "Authentication", "LocalProtocol", "ResourceManagement", "FlowMemory", "Cryptography", "ToolSupport",
                "DequeModule", "Synchronization",
            ]),
            "ManagementClient": driver.union(["LocalProtocol"]),
            "ToolSupport": ["Vocabulary", "CLinux", "CTools"],
            "IRMCommands": driver.union(["LocalProtocol", "ManagementClient", "ToolSupport"]),
            "Ping": ["Vocabulary", "ToolSupport"],
            "Ouroboros": driver.union(["LocalProtocol", "FlowRuntime", "ManagementClient"]),
            "OuroborosDev": driver.union(["Wire", "FlowRuntime", "COuroboros", "COuroborosDev"]),
            "OuroborosIRM": driver.union(["LocalProtocol", "ManagementClient", "COuroboros"]),
            "irmd": ["ResourceManagerRuntime", "ToolSupport", "CLinux"],
            "ipcpd-local": ["IPCPRuntime", "Shims", "CLinux"],
            "ipcpd-udp4": ["IPCPRuntime", "CLinux"],
            "ipcpd-udp6": ["IPCPRuntime", "CLinux"],
            "ObenchSwift": ["Ouroboros"],
            "irm": ["IRMCommands", "ManagementClient", "ToolSupport", "CLinux", "Vocabulary"],
            "oping": program.union(["Ping", "ManagementClient"]),
            "oecho": program,
        ]
    }()

    /// Neither a system call nor unsafe memory can come from these.
    static let pure: Set = [
        "Vocabulary", "Bytes", "Wire", "LocalProtocol", "IPCP", "Authentication", "ResourceManagement", "Shims",
        "Forwarding", "FlowProtocol", "Simulation",
    ]

    static let sources = SourceTree.files(in: "Sources")

    @Test func everyImportIsAnEdgeOfTheTargetGraph() {
        for file in Self.sources where file.isSwift {
            let allowed = Self.allowed[file.target]
            #expect(allowed != nil, "\(file.path): the target is not in the table")
            for module in file.imports {
                #expect(allowed?.contains(module) == true, "\(file.path) must not import \(module)")
            }
        }
    }

    /// From the lowest: the rows of ARCHITECTURE.md.
    static let floors = [
        "Ground", "Formats", "Contracts", "Machines", "Worlds", "Drivers", "Runtimes", "Interfaces", "Programs",
    ]

    @Test func targetsImportFromTheirFloorAndBelow() {
        var heights: [String: Int] = [:]
        for file in Self.sources {
            let height = Self.floors.firstIndex(of: file.floor)
            #expect(height != nil, "\(file.path): \(file.floor) is no floor")
            heights[file.target] = height
        }
        for file in Self.sources where file.isSwift {
            for module in file.imports {
                guard let height = heights[module], let own = heights[file.target] else { continue }
                #expect(height <= own, "\(file.path) imports \(module), which stands on a floor above it")
            }
        }
    }

    @Test func theMapShowsTheFloors() {
        let map = SourceTree.text("ARCHITECTURE.md")
        let rows = map.components(separatedBy: "\n").compactMap { line in
            Self.floors.first { line.hasPrefix(" \($0) ") }
        }
        #expect(rows == Self.floors.reversed())
    }

    @Test func pureTargetsAreStrictlyMemorySafe() {
        let manifest = SourceTree.text("Package.swift")
        for target in Self.pure {
            guard let start = manifest.range(of: "name: \"\(target)\"")?.upperBound else {
                Issue.record("\(target) is not in Package.swift")
                continue
            }
            #expect(
                manifest[start...].prefix(400).contains("swiftSettings: pure"),
                "\(target) lacks the settings of a pure target")
        }
    }

    @Test func thePartsOfIrmdDoNotKnowEachOther() {
        let parts = ["Attachments": "Attachments", "Naming": "Naming", "Flows": "FlowBook", "Children": "Children"]
        let all = Set(parts.values).union(["ResourceManager", "ManagerAction", "ManagerEvent", "Report"])
        for (directory, part) in parts {
            let files = Self.sources.filter { $0.path.contains("/ResourceManagement/\(directory)/") }
            #expect(!files.isEmpty, "\(directory) has no files")
            for file in files {
                for (number, line) in file.lines.enumerated() {
                    let code = line.components(separatedBy: "//")[0]
                    let words = Set(code.split { !$0.isLetter && !$0.isNumber }.map(String.init))
                    for other in all.subtracting([part]).intersection(words) {
                        Issue.record("\(file.path):\(number + 1): \(part) knows \(other)")
                    }
                }
            }
        }
    }

    @Test func filesAreShort() {
        for file in Self.sources { #expect(file.lines.count <= 400, "\(file.path) has \(file.lines.count) lines") }
    }

    @Test func functionsAreShort() {
        for file in Self.sources where file.isSwift {
            for (name, length) in Self.functions(in: file) {
                #expect(length <= 50, "\(file.path): \(name) has \(length) lines")
            }
        }
    }

    @Test func nothingIsUnfinishedOrTrapsOnPurpose() {
        for file in Self.sources {
            for (number, line) in file.lines.enumerated() {
                for word in ["TODO", "FIXME", "XXX", "fatalError", "try!", " as! "] where line.contains(word) {
                    Issue.record("\(file.path):\(number + 1): \(word)")
                }
            }
        }
    }

    @Test func daemonsAndLibrariesAreNotConcurrentInTheSwiftSense() {
        for file in Self.sources where file.isSwift && file.target != "Ouroboros" {
            for (number, line) in file.lines.enumerated() {
                let code = line.components(separatedBy: "//")[0]
                for word in ["async ", "await ", "Task {", " actor ", "DispatchQueue", "import Foundation"]
                where code.contains(word) {
                    Issue.record("\(file.path):\(number + 1): \(word)")
                }
            }
        }
    }

    @Test func uncheckedSendableAndUnsafeGlobalsAreWhereTheyMayBe() {
        let allowed: Set = ["FlowMemory", "FlowRuntime"]
        for file in Self.sources where file.isSwift && !allowed.contains(file.target) {
            for (number, line) in file.lines.enumerated() {
                for word in ["@unchecked Sendable", "nonisolated(unsafe)"] where line.contains(word) {
                    Issue.record("\(file.path):\(number + 1): \(word)")
                }
            }
        }
    }

    @Test func everySourceFileNamesTheLicence() {
        for file in Self.sources + SourceTree.files(in: "Tests") + SourceTree.files(in: "Include") {
            #expect(
                file.lines.prefix(12).contains {
                    $0.contains("SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception")
                },
                "\(file.path) does not name the licence")
        }
    }

    /// Names and lengths, by indentation: a function ends at the first line that closes at its own depth.
    static func functions(in file: SourceTree.File) -> [(name: String, length: Int)] {
        var found: [(String, Int)] = []
        for (start, line) in file.lines.enumerated() {
            let text = line.drop { $0 == " " }
            guard let function = text.range(of: "func ") ?? text.range(of: "init("), !text.hasPrefix("//") else {
                continue
            }
            let before = text[..<function.lowerBound]
            guard before.allSatisfy({ $0.isLetter || " @()_:".contains($0) }) else { continue }
            let closing = String(line.prefix(line.count - text.count)) + "}"
            guard let end = file.lines[start...].firstIndex(where: { $0 == closing }) else { continue }
            let name = text[function.lowerBound...].prefix(40)
            if !line.hasSuffix("}") { found.append((String(name), end - start + 1)) }
        }
        return found
    }
}
