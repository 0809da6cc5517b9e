// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing
import Vocabulary

@testable import IRMCommands

/// irm(8) says what the tables say.
@Suite struct ManualTests {
    private let page: ManualPage

    init() throws { page = try ManualPage("irm.8") }

    @Test("the synopsis of irm(8) is that of the usage texts, and each command is explained under it")
    func synopsis() {
        let synopsis = page.pieces(of: ".Sh SYNOPSIS", beginningWith: ".Nm")
        let explained = page.lines(beginningWith: ".It Cm") + page.lines(beginningWith: ".Ss")
        let commands = Usage.allCases.filter(\.parts.isEmpty)
        for usage in commands {
            let words = usage.rawValue.split(separator: " ").dropFirst() + usage.synopsis.map { $0[...] }
            let whole = ManualPage.compared(words.joined())
            #expect(synopsis.count { $0 == whole } == 1, "\(usage.rawValue) \(usage.synopsis)")
            // In the part of its object the object goes without saying.
            let short = ManualPage.compared(words.dropFirst().joined())
            #expect(
                usage == .status || explained.contains(whole) || explained.contains(short),
                "\(usage.rawValue) is explained under \(usage.synopsis)")
        }
        // And help, and the version.
        #expect(synopsis.count == commands.count + 2)
    }

    @Test("irm(8) explains the options of each type of layer, in the order of the usage text")
    func options() {
        let pieces = page.pieces(of: ".Ss ipcp", beginningWith: "For")
        let groups = Dictionary(grouping: BootstrapKeyword.allCases.map(\.form).filter { $0.types != nil }) { form in
            form.types?.map(\.name) ?? []
        }
        #expect(pieces.count == groups.count)
        for (types, forms) in groups {
            let heading =
                "For " + (types.count < 2 ? "" : types.dropLast().joined(separator: ", ") + " and ")
                + (types.last ?? "") + ":"
            guard let piece = pieces.first(where: { $0.hasPrefix(ManualPage.compared(heading)) }) else {
                Issue.record("\(heading)")
                continue
            }
            var rest = piece[...]
            for form in forms {
                // The text may go on.
                let wanted = ManualPage.compared(form.text + form.summary)
                guard let found = rest.range(of: wanted) else {
                    Issue.record("\(form.text): \(form.summary)")
                    continue
                }
                rest = rest[found.upperBound...]
            }
        }
    }

    @Test("irm(8) names all types and all short forms")
    func words() throws {
        let text = ManualPage.compared(try Repository.text("man/irm.8").replacing("\\-", with: "-"))
        for type in IPCPType.allCases {
            for name in [type.name] + type.row.otherNames { #expect(text.contains(name)) }
        }
        for option in LayerOption.allCases {
            for word in option.row.shortForms { #expect(text.contains(".cm\(word)\(option.row.word)")) }
        }
    }
}
