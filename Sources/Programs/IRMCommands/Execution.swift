// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import ManagementClient
import Vocabulary

/// Does what a command asks for, by requests to irmd. A command that fails takes back what it did itself, except
/// registrations, connections and enrolments, which are worth keeping. spec: irm-cli §2–§5
struct Execution<Service: ManagementService> {
    let service: Service
    var report: Report

    mutating func run(_ command: Command) {
        do throws(ManagementError) {
            try perform(command)
        } catch {
            report.fail(error.sentence)
        }
    }

    private mutating func perform(_ command: Command) throws(ManagementError) {
        switch command {
        case .help, .version: break  // nothing that irmd is needed for
        case .createIPCP(let name, let type): _ = try service.create(name, type)  // the list shows the pid
        case .destroyIPCP(let name): try request(.destroyIPCP(try ipcp(name).process))
        case .bootstrap(let bootstrap): try perform(bootstrap)
        case .enroll(let enroll): try perform(enroll)
        case .connect(let connection, let quality): try connect(connection, quality)
        case .disconnect(let connection): try disconnect(connection)
        case .listIPCPs(let filter, let style): try listIPCPs(filter, style)
        case .createName(let settings): try create(settings)
        case .destroyName(let name): try request(.destroyName(name))
        case .register(let registration): try register(registration)
        case .unregister(let registration): try unregister(registration)
        case .setName(let name, let balancing, let wait):
            if try !request(.setName(name, balancing: balancing, wait: wait)) {
                report.warn("Name \(name) has these settings already.")
            }
        case .listNames(let name, let style): try listNames(name, style)
        case .listBindings(let name, let json): try listBindings(name, json: json)
        case .bindProgram(let binding):
            try request(
                .bindProgram(
                    program: binding.program.bytes, binding.name, autoStart: binding.autoStart,
                    arguments: binding.arguments, directory: ProgramPath.currentDirectory()))
        case .bindProcess(let process, let name): try request(.bindProcess(process, name))
        case .bindIPCP(let ipcp, let name): try request(.bindProcess(try self.ipcp(ipcp).process, name))
        case .unbindProgram(let program, let name): try service.unbind(program: program.bytes, name)
        case .unbindProcess(let process, let name): try request(.unbindProcess(process, name))
        case .unbindIPCP(let ipcp, let name): try request(.unbindProcess(try self.ipcp(ipcp).process, name))
        case .listFlows(let name, let style): try listFlows(name, style)
        case .showFlow(let flow, let json): try show(flow, json: json)
        case .destroyFlow(let flow): try destroy(flow)
        case .status(let json): try showStatus(json: json)
        }
    }

    /// A request whose success says all. True = something is other than before.
    @discardableResult
    func request(_ request: ManagementRequest) throws(ManagementError) -> Bool {
        try service.perform(request) != .unchanged
    }

    private mutating func destroy(_ flow: FlowID) throws(ManagementError) {
        guard try !request(.destroyFlow(flow)) else { return }
        report.warn("Flow \(flow) is down already; its processes have not let go of it yet.")
    }

    /// A name that exists is no mistake, but whoever wants it otherwise should know.
    private mutating func create(_ settings: NameSettings) throws(ManagementError) {
        guard try !service.create(settings) else { return }
        let known = try service.names().first { $0.settings.name == settings.name }?.settings
        var differences: [String] = []
        if let known, known.balancing != settings.balancing { differences.append("policy \(known.balancing.name)") }
        if let known, known.wait != settings.wait { differences.append(Execution.text(ofWait: known.wait)) }
        let difference = differences.isEmpty ? "" : ", with \(differences.joined(separator: " and "))"
        let advice = differences.isEmpty ? "" : " \"irm name set\" changes it."
        report.warn("Name \(settings.name) exists already\(difference), and is left as it is.\(advice)")
    }

    /// How long flows to a name wait for its server, behind the word "with".
    private static func text(ofWait wait: TimeSpan) -> String {
        switch wait {
        case TimeSpan(nanoseconds: 0): "no wait"
        case .unlimited: "a wait as long as the client waits"
        default: "a wait of \(wait.nanoseconds / 1_000_000) ms"
        }
    }

    func ipcp(_ name: IPCPName) throws(ManagementError) -> IPCPEntry {
        guard let entry = try service.ipcps().first(where: { $0.name == name }) else {
            throw ManagementError(
                .ipcp, reason: "There is no IPCP named \(name). \"irm ipcp list\" shows those there are.")
        }
        return entry
    }
}
