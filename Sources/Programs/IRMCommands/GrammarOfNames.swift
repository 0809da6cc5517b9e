// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ToolSupport
import Vocabulary

/// `irm name`. spec: irm-cli §3
extension Grammar {
    mutating func nameCommand() throws(UsageError) -> Command {
        guard let word = words.next() else { throw UsageError("What to do with names is missing.", .name) }
        switch try verb(word, NameVerb.table, of: .name) {
        case .create: return try createName()
        case .set: return try setName()
        case .destroy: return try destroyName()
        case .register: return .register(try registration(.register))
        case .unregister: return .unregister(try registration(.unregister))
        case .list:
            let (name, style) = try nameFilter(.listNames, takesPrefix: true)
            return .listNames(name: name, style)
        case .help: return .help(.name)
        }
    }

    private mutating func createName() throws(UsageError) -> Command {
        let name = try firstName(.createName)
        var settings = NameSettings(name: name, balancing: .roundRobin)
        while let keyword = try next(CreateNameKeyword.table, of: .createName) {
            if keyword == .wait {
                settings.wait = try wait(.createName)
                continue
            }
            let word = try value(of: keyword, .createName)
            switch keyword {
            case .balancing: settings.balancing = try balancing(word, .createName)
            case .wait: break  // has its value
            case .sencpath: settings.server.encryption = word.bytes
            case .scrtpath: settings.server.certificate = word.bytes
            case .skeypath: settings.server.key = word.bytes
            case .cencpath: settings.client.encryption = word.bytes
            case .ccrtpath: settings.client.certificate = word.bytes
            case .ckeypath: settings.client.key = word.bytes
            }
        }
        return .createName(settings)
    }

    /// `<name> [lb POLICY] [wait [DURATION]]`, at least one of them.
    private mutating func setName() throws(UsageError) -> Command {
        let name = try firstName(.setName)
        var chosen: LoadBalancing?
        var time: TimeSpan?
        while let keyword = try next(SetNameKeyword.table, of: .setName) {
            switch keyword {
            case .balancing: chosen = try balancing(try value(of: keyword, .setName), .setName)
            case .wait: time = try wait(.setName)
            }
        }
        guard chosen != nil || time != nil else {
            throw UsageError("\"irm name set\" needs a load-balance policy or a time to wait.", .setName)
        }
        return .setName(name, balancing: chosen, wait: time)
    }

    /// What stands behind `wait`: a length of time, 0 for none; without one, as long as the client waits itself.
    private mutating func wait(_ usage: Usage) throws(UsageError) -> TimeSpan {
        guard let word = words.next(where: { $0.bytes.first.map { $0 >= 48 && $0 <= 57 } ?? false }) else {
            return .unlimited
        }
        do throws(WrittenDuration.Mistake) {
            let (nanoseconds, overflow) = try WrittenDuration.milliseconds(word.description)
                .multipliedReportingOverflow(by: 1_000_000)
            return overflow ? .unlimited : TimeSpan(nanoseconds: nanoseconds)
        } catch {
            throw UsageError("\"\(word)\" is not a length of time: use for example 500ms, 5s or 2m.", usage)
        }
    }

    private func balancing(_ word: Word, _ usage: Usage) throws(UsageError) -> LoadBalancing {
        let unknown = "Load-balance policy \"\(word)\" is unknown"
        switch try keyword(word, BalancingKeyword.table, unknown: unknown, advice: ".", usage) {
        case .roundRobin: return .roundRobin
        case .spillover: return .spillover
        }
    }

    private mutating func destroyName() throws(UsageError) -> Command {
        let name = try firstName(.destroyName)
        if let extra = words.next() {
            throw UsageError("\"\(extra)\" is unknown, try \"irm name destroy --help\".")
        }
        return .destroyName(name)
    }

    /// `<name> (ipcp <ipcp> | layer <layer>)…`
    mutating func registration(_ usage: Usage) throws(UsageError) -> Registration {
        var registration = Registration(name: try firstName(usage), targets: [])
        while let keyword = try next(RegisterKeyword.table, of: usage) {
            let pattern = try value(of: keyword, usage)
            switch keyword {
            case .ipcp: registration.targets.append(.ipcp(pattern))
            case .layer: registration.targets.append(.layer(pattern))
            }
        }
        guard !registration.targets.isEmpty else {
            throw UsageError("\"\(usage.rawValue)\" needs a layer or an IPCP.", usage)
        }
        let ipcps = registration.targets.count { if case .ipcp = $0 { true } else { false } }
        let most = Limits.registrationsPerCommand
        guard ipcps <= most, registration.targets.count - ipcps <= most else {
            throw UsageError("A command can name at most \(most) IPCPs and \(most) layers.", usage)
        }
        return registration
    }

    private mutating func firstName(_ usage: Usage) throws(UsageError) -> ServiceName {
        try Grammar.name(try needed(words.next(), "a name", usage), usage)
    }
}
