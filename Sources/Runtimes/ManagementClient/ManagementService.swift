// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// Whoever answers management requests: irmd behind `ManagementClient`, or a stand-in of a test.
package protocol ManagementService: AnyObject {
    /// One request and its verdict.
    func perform(_ request: ManagementRequest) throws(ManagementError) -> ManagementResult
}

extension ManagementService {
    /// All IPCPs, ordered by type and pid.
    package func ipcps() throws(ManagementError) -> [IPCPEntry] {
        try pages(ManagementRequest.listIPCPs) { result in
            if case .ipcps(let page, let total) = result { (page, total) } else { nil }
        }
    }

    package func names() throws(ManagementError) -> [NameEntry] {
        try pages(ManagementRequest.listNames) { result in
            if case .names(let page, let total) = result { (page, total) } else { nil }
        }
    }

    package func flows() throws(ManagementError) -> [FlowSummary] {
        try pages(ManagementRequest.listFlows) { result in
            if case .flows(let page, let total) = result { (page, total) } else { nil }
        }
    }

    /// By name in the order of creation.
    package func bindings() throws(ManagementError) -> [BindingEntry] {
        try pages(ManagementRequest.listBindings) { result in
            if case .bindings(let page, let total) = result { (page, total) } else { nil }
        }
    }

    package func status() throws(ManagementError) -> ManagerStatus {
        guard case .status(let status) = try perform(.status) else { throw .unexpectedAnswer }
        return status
    }

    /// Nil if the IPCP is a member of no layer, or does not say.
    package func layer(of ipcp: IPCPEntry) -> LayerStatus? {
        guard ipcp.layer != nil, case .layer(let status)? = try? perform(.describeIPCP(ipcp.process)) else {
            return nil
        }
        return status
    }

    package func create(_ name: IPCPName, _ type: IPCPType) throws(ManagementError) -> ProcessID {
        guard case .created(let process) = try perform(.createIPCP(name, type)) else { throw .unexpectedAnswer }
        return process
    }

    /// Existing names are left as they are. True = created.
    @discardableResult
    package func create(_ settings: NameSettings) throws(ManagementError) -> Bool {
        try perform(.createName(settings)) != .unchanged
    }

    /// Undoes a binding by the program's path or its last part; no name = all names. A binding has the path without
    /// links: what was bound as `sh` may be `dash` to irmd, so the path that this name leads to is told, too.
    package func unbind(program: [UInt8], _ name: ServiceName?) throws(ManagementError) {
        let path = try? ProgramPath.resolve(program)
        _ = try perform(.unbindProgram(program: program, otherwise: path ?? [], name))
    }

    /// A list changes while its pages are fetched: entries may then be missed or come twice, but the walk ends.
    private func pages<Entry>(
        _ request: (UInt32) -> ManagementRequest, _ page: (ManagementResult) -> ([Entry], UInt32)?
    ) throws(ManagementError) -> [Entry] {
        var entries: [Entry] = []
        while true {
            guard let (next, total) = page(try perform(request(UInt32(entries.count)))) else {
                throw .unexpectedAnswer
            }
            entries += next
            if next.isEmpty || entries.count >= Int(total) { return entries }
        }
    }
}

extension ManagementError {
    package static let unexpectedAnswer = ManagementError(
        .manager,
        reason: "irmd gave an answer that does not fit the request. It may be of another version: restart it.")
}
