// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Authentication
import Foundation
import LocalProtocol
import Testing
import Vocabulary
import Wire

@testable import Shims

/// The table of README.md that says which layers work today, against the daemons of Package.swift, the table of layer
/// types, and the machines of the layers.
@Suite struct StatusTableTests {
    struct Row {
        let type: String
        let daemon: String
        let raw: String
        let reliable: String
        let encrypted: String
    }

    private static let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { path, _ in
        path.deletingLastPathComponent()
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private let rows: [Row]
    /// The executables of Package.swift whose names begin as those of IPCPs do.
    private let daemons: Set<String>

    init() throws {
        let lines = try Self.text("README.md").components(separatedBy: "\n")
        let heading = "| layer type | daemon | reaches | raw | reliable | encrypted |"
        let start = try #require(lines.firstIndex(of: heading), "README.md has no table of layer types")
        rows = try lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
            let cells = line.split(separator: "|").map { $0.filter { $0 != "`" }.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 6, "a row with \(cells.count) cells: \(line)")
            return Row(type: cells[0], daemon: cells[1], raw: cells[3], reliable: cells[4], encrypted: cells[5])
        }
        let programs = try Self.text("Package.swift").matches(of: /\.executableTarget\(\s*name: "(ipcpd-[^"]+)"/)
        daemons = Set(programs.map { String($0.output.1) })
    }

    private func isBuilt(_ type: IPCPType) -> Bool { daemons.contains(type.daemon) }

    @Test("every type of layer has a row, in the order of the types, and says whether it is built")
    func types() {
        #expect(rows.map(\.type) == IPCPType.allCases.map(\.name))
        for (row, type) in zip(rows, IPCPType.allCases) {
            #expect(row.daemon == (isBuilt(type) ? type.daemon : "not built"), "row \(row.type)")
        }
    }

    @Test("every daemon of an IPCP has a row")
    func daemonsHaveRows() {
        #expect(daemons.count >= 3)
        for daemon in daemons {
            #expect(rows.contains { $0.daemon == daemon }, "README.md does not say what \(daemon) can do")
        }
    }

    @Test("a quality has a yes if the machine of the layer takes flows with it")
    func qualities() throws {
        for (row, type) in zip(rows, IPCPType.allCases) {
            let (raw, reliable) = (try takes(.raw, type), try takes(.data, type))
            #expect(row.raw == (raw ? "yes" : "no"), "raw flows of \(row.type)")
            #expect(row.reliable == (reliable ? "yes" : "no"), "reliable flows of \(row.type)")
        }
    }

    @Test("flows to other hosts are encrypted if the exchange before them takes keys")
    func encryption() {
        for (row, type) in zip(rows, IPCPType.allCases) {
            switch type {
            case .local: #expect(row.encrypted == "no need")
            case .udp4, .udp6, .unicast, .broadcast, .ethernetLLC, .ethernetDIX:
                #expect(row.encrypted == (isBuilt(type) && takesKeys ? "yes" : "no"), "encryption in \(row.type)")
            }
        }
    }

    @Test(
        "the limits between hosts are told to the readers of each language, with the sizes of the layers",
        arguments: [
            "README.md", "bindings/python/README.md", "Sources/Interfaces/Ouroboros/Ouroboros.docc/OtherHosts.md",
        ])
    func limits(document: String) throws {
        let text = try Self.text(document)
        let ipv4 = DatagramLayer(.ipv4, seed: 1).datagramBytes - DatagramLayer.headerBytes
        let ipv6 = DatagramLayer(.ipv6, seed: 1).datagramBytes - DatagramLayer.headerBytes
        for size in [ipv4, ipv6, Limits.messageBytes] {
            #expect(text.contains(size.formatted(.number.locale(Locale(identifier: "en_US")))))
        }
        for word in ["lost", "another order", "twice", "fragments", "ENOTSUP", "peer timeout", "encrypted"] {
            #expect(text.contains(word), "\(document) does not speak of: \(word)")
        }
    }

    private func takes(_ quality: Vocabulary.QualityOfService, _ type: IPCPType) throws -> Bool {
        guard isBuilt(type) else { return false }
        switch type {
        case .udp4, .udp6:
            // Both are one machine; the family is a value in it.
            var rig = try LayerRig()
            return LayerRig.refusal(in: rig.allocate(5, port: 64, quality: quality), after: 64) == nil
        // Its flows are memory of two processes, which loses and reorders nothing: its machine has no say in it.
        case .local: return true
        case .unicast, .broadcast, .ethernetLLC, .ethernetDIX:
            Issue.record("\(type.name) is built: say here how a flow of it is asked for")
            return false
        }
    }

    private var takesKeys: Bool {
        struct Digest: AuthenticationDigest {
            func digest(of request: [UInt8], nid: UInt16) -> [UInt8]? { [1] }
        }
        var server = AuthenticationServer()
        func isAnswered(_ number: UInt8, keyExchange: [UInt8]) -> Bool {
            var request = AuthenticationMessage(id: [UInt8](repeating: number, count: 16), timestamp: 1)
            request.keyExchange.bytes = keyExchange
            let answer = try? server.answer(request.encoded(), now: WallTime(nanoseconds: 1), digest: Digest())
            return answer != nil
        }
        #expect(isAnswered(1, keyExchange: []))
        return isAnswered(2, keyExchange: [1])
    }
}
