// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ToolSupport
import Vocabulary

// What usage texts and completion say of keywords; those of `irm ipcp bootstrap` and options of layers are in BootstrapKeyword.

extension CreateKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .name: KeywordForm("name", "IPCP", .free, "A name of its own for the IPCP", .required)
        case .type: .type(.required)
        }
    }
}

extension NameKeyword: FormedKeyword {
    /// Of a service: the commands for IPCPs have their own.
    var form: KeywordForm { KeywordForm("name", "NAME", .name, "The name of the service") }
}

extension DestroyKeyword: FormedKeyword {
    var form: KeywordForm { KeywordForm("name", "IPCP", .ipcp, "The IPCP", .required) }
}

extension BindKeyword: FormedKeyword {
    var form: KeywordForm { KeywordForm("name", "NAME", .name, "The name of the service", .required) }
}

extension EnrollKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .name: KeywordForm("name", "IPCP", .ipcp, "The IPCP, which is created if there is none", .required)
        case .type: .type(.optional, IPCPType.allCases.filter(\.hasEnrolment), default: .unicast)
        case .layer: KeywordForm("layer", "LAYER", .layer, "The layer that it shall be in")
        case .dst: KeywordForm("dst", "NAME", .name, "Who lets it in; the name of the layer without this")
        case .autobind: .autobind
        }
    }
}

extension ConnectKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .name: KeywordForm("name", "IPCP", .ipcp, "The IPCP that connects", .required)
        case .dst: KeywordForm("dst", "NAME", .name, "The member of its layer to connect to", .required)
        case .component: .component
        case .qos:
            KeywordForm(
                "qos", "QOS", .words(["raw", "best", "video", "voice", "data"]),
                "Quality for dt: raw (default), best, video, voice or data")
        }
    }
}

extension DisconnectKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .name: KeywordForm("name", "IPCP", .ipcp, "The IPCP that disconnects", .required)
        case .dst: KeywordForm("dst", "NAME", .name, "The member of its layer", .required)
        case .component: .component
        }
    }
}

extension IPCPFilterKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .name: KeywordForm("name", "IPCP", .ipcp, "Only those of this name; * stands for any text")
        case .layer: KeywordForm("layer", "LAYER", .layer, "Only those in layers of this name; * stands for any text")
        case .type: .type(.optional)
        case .json: .json
        case .long: .long
        }
    }
}

extension NameFilterKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .name: KeywordForm("name", "NAME", .name, "Only those of this name; * stands for any text")
        case .json: .json
        case .long: .long
        }
    }
}

extension BindingFilterKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .name: KeywordForm("name", "NAME", .name, "Only those of this name; * stands for any text")
        case .json: .json
        }
    }
}

extension SetNameKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .balancing: .balancing("Who gets a flow: round-robin or spillover")
        case .wait: .wait
        }
    }
}

extension StatusKeyword: FormedKeyword {
    var form: KeywordForm { .json }
}

extension CreateNameKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .balancing: .balancing("Which acceptor gets a flow: round-robin (default) or spillover")
        case .wait: .wait
        case .sencpath: KeywordForm(rawValue, "FILE", .file, "Encryption settings of servers")
        case .scrtpath: KeywordForm(rawValue, "FILE", .file, "Certificate of servers")
        case .skeypath: KeywordForm(rawValue, "FILE", .file, "Private key of servers")
        case .cencpath: KeywordForm(rawValue, "FILE", .file, "Encryption settings of clients")
        case .ccrtpath: KeywordForm(rawValue, "FILE", .file, "Certificate of clients")
        case .ckeypath: KeywordForm(rawValue, "FILE", .file, "Private key of clients")
        }
    }
}

extension RegisterKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .ipcp: KeywordForm("ipcp", "IPCP", .ipcp, "In the layers of these IPCPs; * stands for any text", .repeated)
        case .layer: KeywordForm("layer", "LAYER", .layer, "In layers of this name; * stands for any text", .repeated)
        }
    }
}

extension BindProgramKeyword: FormedKeyword {
    var form: KeywordForm {
        switch self {
        case .name: KeywordForm("name", "NAME", .name, "The name of the service", .required)
        case .auto: KeywordForm("auto", "A flow that nobody accepts starts the program")
        case .separator: KeywordForm("--", "ARGUMENT...", .free, "The arguments for a program that is started so")
        }
    }
}

extension KeywordForm {
    fileprivate init(_ word: String, _ summary: String) { self.init(word, nil, .free, summary) }

    static let json = KeywordForm("--json", "JSON instead of a table")
    static let long = KeywordForm("--long", "A table with more columns; also -l")
    static let wait = KeywordForm(
        "wait", "[DURATION]", .free, "How long flows wait for a server (0: not); as long as their clients if not given")

    static func balancing(_ summary: String) -> KeywordForm {
        KeywordForm("lb", "POLICY", .words(BalancingKeyword.allCases.map(\.rawValue)), summary)
    }

    static let autobind = KeywordForm("autobind", "Bind the IPCP to its own name and to the name of the layer")
    static let component = KeywordForm(
        "component", "COMPONENT", .words(Connection.Component.allCases.map(\.rawValue)),
        "mgmt or dt; both if not given")

    static func type(
        _ need: Need, _ types: [IPCPType] = IPCPType.allCases, default usual: IPCPType? = nil
    ) -> KeywordForm {
        let listed = types.map { $0.name + ($0 == usual ? " (default)" : "") }.joined(separator: ", ")
        return KeywordForm("type", "TYPE", .words(types.map(\.name)), listed, need)
    }
}
