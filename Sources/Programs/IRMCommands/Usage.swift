// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ToolSupport
import Vocabulary

/// A command or a group of commands, as help speaks of it. What it says is in FormsOfCommands and comes from the keywords.
package enum Usage: String, Hashable, Sendable, CaseIterable {
    case irm = "irm"
    case ipcp = "irm ipcp"
    case name = "irm name"
    case bind = "irm bind"
    case unbind = "irm unbind"
    case flow = "irm flow"
    case createIPCP = "irm ipcp create"
    case destroyIPCP = "irm ipcp destroy"
    case bootstrap = "irm ipcp bootstrap"
    case enroll = "irm ipcp enroll"
    case connect = "irm ipcp connect"
    case disconnect = "irm ipcp disconnect"
    case listIPCPs = "irm ipcp list"
    case createName = "irm name create"
    case setName = "irm name set"
    case destroyName = "irm name destroy"
    case register = "irm name register"
    case unregister = "irm name unregister"
    case listNames = "irm name list"
    case bindProgram = "irm bind program"
    case bindProcess = "irm bind process"
    case bindIPCP = "irm bind ipcp"
    case listBindings = "irm bind list"
    case unbindProgram = "irm unbind program"
    case unbindProcess = "irm unbind process"
    case unbindIPCP = "irm unbind ipcp"
    case listFlows = "irm flow list"
    case showFlow = "irm flow show"
    case destroyFlow = "irm flow destroy"
    case status = "irm status"
}

extension Usage {
    /// What `irm` prints.
    package var text: String {
        let parts = self.parts
        return parts.isEmpty ? commandText : groupText(parts)
    }

    /// The commands of a group, in their order.
    package var parts: [Usage] {
        let prefix = rawValue + " "
        guard self != .irm else { return Usage.allCases.filter { $0 != .irm && $0.parts.isEmpty } }
        return Usage.allCases.filter { $0.rawValue.hasPrefix(prefix) }
    }

    /// Without the program and the object.
    var verb: String { String(rawValue.split(separator: " ").last ?? "") }

    private func groupText(_ parts: [Usage]) -> String {
        let what = self == .irm ? "OBJECT VERB" : "VERB"
        return "Usage: \(rawValue) \(what) [ARGUMENT]...\n\(summary)\n\n"
            + Usage.lines(
                parts.map { ($0.rawValue.dropFirst(self == .irm ? 4 : rawValue.count + 1).description, $0.summary) })
            + "\n\"\(self == .irm ? "irm OBJECT VERB" : "\(rawValue) VERB") --help\" says more, and so does irm(8).\n"
    }

    private var commandText: String {
        let forms = keywords.all
        let own = forms.filter { $0.types == nil }
        return Usage.wrapped(["Usage: \(rawValue)"] + synopsis) + "\(summary)\n"
            + (operands.isEmpty && own.isEmpty
                ? "" : "\n" + Usage.lines((operands + own).map { ($0.text, $0.summary) }))
            + optionText(forms)
    }

    /// What stands behind the command, piece by piece: in usage texts, and compared with irm(8).
    package var synopsis: [String] {
        let forms = keywords.all
        let own = forms.filter { $0.types == nil }
        let repeated = own.filter { $0.need == .repeated }.map(\.text)
        return operands.map(\.synopsis) + own.filter { $0.need != .repeated }.map(\.synopsis)
            + (repeated.isEmpty ? [] : ["{\(repeated.joined(separator: " | "))}..."])
            + (own.count < forms.count ? ["[OPTION VALUE]..."] : [])
    }

    /// Options of layers, by the types that have them.
    private func optionText(_ forms: [KeywordForm]) -> String {
        var groups: [(types: [IPCPType], forms: [KeywordForm])] = []
        for form in forms {
            guard let types = form.types else { continue }
            if let index = groups.firstIndex(where: { $0.types == types }) {
                groups[index].forms.append(form)
            } else {
                groups.append((types, [form]))
            }
        }
        return groups.map { group in
            "\nOptions of \(group.types.map(\.name).joined(separator: ", ")):\n"
                + Usage.lines(group.forms.map { ($0.text, $0.summary) })
        }.joined()
    }

    private static func lines(_ pairs: [(String, String)]) -> String {
        let width = pairs.map(\.0.count).max() ?? 0
        return pairs.map { "  " + left($0.0, width: width + 2) + $0.1 + "\n" }.joined()
    }

    /// Lines of a terminal's usual width, the later ones indented.
    private static func wrapped(_ words: [String]) -> String {
        var lines = [words[0]]
        for word in words.dropFirst() {
            if lines[lines.count - 1].count + 1 + word.count > 79 {
                lines.append("           " + word)
            } else {
                lines[lines.count - 1] += " " + word
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
