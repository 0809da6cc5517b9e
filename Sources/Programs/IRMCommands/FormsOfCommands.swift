// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ToolSupport
import Vocabulary

extension Usage {
    /// One line.
    package var summary: String {
        switch self {
        case .irm: "Manage Ouroboros on this host."
        case .ipcp: "IPCPs: the processes that layers are made of."
        case .name: "Names of services, and the layers that know them."
        case .bind: "Say who accepts the flows to a name."
        case .unbind: "Say who no longer accepts the flows to a name."
        case .flow: "Flows of this host."
        case .createIPCP: "Start an IPCP."
        case .destroyIPCP: "End an IPCP, and the flows through it."
        case .bootstrap: "Make an IPCP the first member of a new layer."
        case .enroll: "Make an IPCP a further member of a layer."
        case .connect: "Connect an IPCP to a member of its layer."
        case .disconnect: "End such connections."
        case .listIPCPs: "List IPCPs."
        case .createName: "Create a name."
        case .setName: "Change the settings of a name."
        case .destroyName: "Destroy a name, its bindings and its registrations."
        case .register: "Make a name known in layers."
        case .unregister: "Remove a name from layers."
        case .listNames: "List names."
        case .bindProgram: "Bind all processes of a program to a name."
        case .bindProcess: "Bind a process to a name."
        case .bindIPCP: "Bind the process of an IPCP to a name."
        case .listBindings: "List bindings."
        case .unbindProgram: "Remove bindings of a program."
        case .unbindProcess: "Remove bindings of a process."
        case .unbindIPCP: "Remove bindings of an IPCP."
        case .listFlows: "List flows."
        case .showFlow: "Show one flow, with what its processes have counted."
        case .destroyFlow: "End a flow: both ends lose it."
        case .status: "Show the whole system on one screen."
        }
    }

    /// What stands first, without keywords.
    package var operands: [KeywordForm] {
        switch self {
        case .createName: [KeywordForm("", "NAME", .free, "The name: at most 255 bytes", .required)]
        case .setName, .destroyName, .register, .unregister: [KeywordForm("", "NAME", .name, "The name", .required)]
        case .listNames: [KeywordForm("", "PREFIX", .name, "Only names that begin so")]
        case .bindProgram: [KeywordForm("", "PROGRAM", .command, "A file, or a program in PATH", .required)]
        case .unbindProgram:
            [KeywordForm("", "PROGRAM", .command, "Its path, the last part of that, or a link to it", .required)]
        case .bindProcess, .unbindProcess: [KeywordForm("", "PID", .process, "The process id", .required)]
        case .bindIPCP, .unbindIPCP: [KeywordForm("", "IPCP", .ipcp, "The name of the IPCP", .required)]
        case .showFlow, .destroyFlow: [KeywordForm("", "FLOW", .flow, "Its number, as the list shows it", .required)]
        case .irm, .ipcp, .name, .bind, .unbind, .flow, .status, .listIPCPs, .listFlows, .listBindings: []
        case .createIPCP, .destroyIPCP, .bootstrap, .enroll, .connect, .disconnect: []
        }
    }

    var keywords: KeywordForms {
        switch self {
        case .irm, .ipcp, .name, .bind, .unbind, .flow, .destroyName, .destroyFlow: .none
        case .createIPCP: KeywordForms(CreateKeyword.self)
        case .destroyIPCP: KeywordForms(DestroyKeyword.self)
        case .bootstrap: KeywordForms(BootstrapKeyword.self)
        case .enroll: KeywordForms(EnrollKeyword.self)
        case .connect: KeywordForms(ConnectKeyword.self)
        case .disconnect: KeywordForms(DisconnectKeyword.self)
        case .listIPCPs: KeywordForms(IPCPFilterKeyword.self)
        case .createName: KeywordForms(CreateNameKeyword.self)
        case .setName: KeywordForms(SetNameKeyword.self)
        case .listBindings: KeywordForms(BindingFilterKeyword.self)
        case .register, .unregister: KeywordForms(RegisterKeyword.self)
        case .listNames, .listFlows: KeywordForms(NameFilterKeyword.self)
        case .bindProgram: KeywordForms(BindProgramKeyword.self)
        case .bindProcess, .bindIPCP: KeywordForms(BindKeyword.self)
        case .unbindProgram, .unbindProcess, .unbindIPCP: KeywordForms(NameKeyword.self)
        case .status, .showFlow: KeywordForms(StatusKeyword.self)
        }
    }
}
