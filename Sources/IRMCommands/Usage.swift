// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The usage text of a command or of a group of commands.
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
    case destroyName = "irm name destroy"
    case register = "irm name register"
    case unregister = "irm name unregister"
    case listNames = "irm name list"
    case bindProgram = "irm bind program"
    case bindProcess = "irm bind process"
    case bindIPCP = "irm bind ipcp"
    case unbindProgram = "irm unbind program"
    case unbindProcess = "irm unbind process"
    case unbindIPCP = "irm unbind ipcp"
    case listFlows = "irm flow list"
    case status = "irm status"

    /// What `irm` prints.
    package var text: String { prototypeText + addition }

    /// Word for word the text of the prototype, where it has one. spec: irm-cli §6
    package var prototypeText: String {
        switch self {
        case .irm: Usage.irmText
        case .ipcp: Usage.ipcpText
        case .name: Usage.nameText
        case .bind: Usage.bindText
        case .unbind: Usage.unbindText
        case .createIPCP: Usage.createIPCPText
        case .destroyIPCP: Usage.destroyIPCPText
        case .bootstrap: Usage.bootstrapText
        case .enroll: Usage.enrollText
        case .connect: Usage.connectText
        case .disconnect: Usage.disconnectText
        case .listIPCPs: Usage.listIPCPsText
        case .createName: Usage.createNameText
        case .destroyName: Usage.destroyNameText
        case .register: Usage.registerText
        case .unregister: Usage.unregisterText
        case .bindProgram: Usage.bindProgramText
        case .bindProcess: Usage.bindProcessText
        case .bindIPCP: Usage.bindIPCPText
        case .unbindProgram: Usage.unbindProgramText
        case .unbindProcess: Usage.unbindProcessText
        case .unbindIPCP: Usage.unbindIPCPText
        case .flow, .listNames, .listFlows, .status: ""
        }
    }

    /// What the prototype does not have.
    private var addition: String {
        switch self {
        case .irm:
            """

            and  irm status [--json]     what runs here, on one screen
                 irm flow list [--json]  all flows with their owners and counters
            "irm OBJECT help" and "irm(8)" say more.

            """
        case .bootstrap:
            """
            and, if TYPE in {udp4 udp6}
                    [hosts <file of addresses and names> (default: none)]
                    [key <TSIG key file for updates of the DNS server> (default: none)]

            """
        case .listIPCPs:
            """

            Names and layers may have wildcards (*); --json writes JSON.

            """
        case .flow:
            """
            Usage: irm flow [OPERATION]

            where OPERATION in {list help}

            """
        case .listNames:
            """
            Usage: irm name list
                            [name <name>]
                            [--json]

            Names may have wildcards (*).

            """
        case .listFlows:
            """
            Usage: irm flow list
                            [name <name>]
                            [--json]

            Names may have wildcards (*).

            """
        case .status:
            """
            Usage: irm status [--json]

            """
        default: ""
        }
    }
}
