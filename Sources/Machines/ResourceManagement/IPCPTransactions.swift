// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Vocabulary

/// What irmd asks of an IPCP, and what comes of the answer.
extension ResourceManager {
    /// The IPCP, if it can be asked something; else the requester has been told.
    mutating func usableIPCP(_ process: ProcessID, for requester: Requester) -> IPCPRecord? {
        guard let ipcp = children[process] else {
            report(.supervision(.ipcpUnknown(process)))
            fail(requester, .ipcp, "there is no IPCP \(process)")
            return nil
        }
        let user = user(of: requester)
        guard children.mayAsk(process, for: user, isExempt: isExempt(user)) else {
            fail(requester, .tableFull, "IPCP \(process) has too many unanswered requests of uid \(user)")
            return nil
        }
        switch ipcp.state {
        case .initialised, .bootstrapping, .operational: return ipcp
        case .booting, .ending:
            fail(requester, .ipcpState, "IPCP \(process) is starting or ending")
            return nil
        }
    }

    /// Records the transaction, then sends what `message` makes of its id.
    mutating func ask(
        _ ipcp: ProcessID, _ purpose: IPCPTransaction.Purpose, for requester: Requester?,
        of user: UserID? = nil, _ message: (RequestID) -> IPCPRequest
    ) {
        let request = children.nextRequest()
        let timer = timers.set(.transaction(request), at: now + Limits.ipcpRequestTimeout)
        let user = user ?? requester.map { self.user(of: $0) }
        let isCounted = user.map { children.beginAsking(ipcp, for: $0, isExempt: isExempt($0)) } ?? false
        children.begin(
            IPCPTransaction(
                ipcp: ipcp, requester: requester, user: isCounted ? user : nil, purpose: purpose, timer: timer),
            as: request)
        outgoing.append(.request(message(request), ipcp))
    }

    mutating func bootstrapIPCP(
        _ process: ProcessID, _ configuration: LayerConfiguration, by credentials: Credentials,
        for requester: Requester
    ) {
        guard let ipcp = usableIPCP(process, for: requester) else { return }
        guard case .initialised = ipcp.state else {
            return fail(requester, .ipcpState, "IPCP \(process) is a member of a layer already")
        }
        guard configuration.parameters.type == ipcp.type else {
            return fail(
                requester, .ipcpType,
                "IPCP \(process) is of type \(ipcp.type.name), not \(configuration.parameters.type.name)")
        }
        if let fault = configuration.fault { return fail(requester, .invalid, fault.description) }
        children.set(.bootstrapping, of: process)
        let rights = FileRights(user: credentials.user, group: credentials.group, groups: credentials.groups)
        ask(process, .bootstrap(configuration), for: requester) { .bootstrap($0, configuration, by: rights) }
    }

    mutating func enrollIPCP(_ process: ProcessID, _ destination: ServiceName, for requester: Requester) {
        guard let ipcp = usableIPCP(process, for: requester), canConnect(ipcp, for: requester) else { return }
        ask(process, .enroll(destination: destination), for: requester) { .enroll($0, destination: destination) }
    }

    mutating func connectIPCP(
        _ process: ProcessID, _ destination: ServiceName, _ component: [UInt8], _ quality: QualityOfService,
        for requester: Requester
    ) {
        guard let ipcp = usableIPCP(process, for: requester), canConnect(ipcp, for: requester) else { return }
        ask(process, .connect(destination: destination, component: component), for: requester) {
            .connect($0, destination: destination, component: component, quality)
        }
    }

    mutating func disconnectIPCP(
        _ process: ProcessID, _ destination: ServiceName, _ component: [UInt8], for requester: Requester
    ) {
        guard let ipcp = usableIPCP(process, for: requester), canConnect(ipcp, for: requester) else { return }
        ask(process, .disconnect(destination: destination, component: component), for: requester) {
            .disconnect($0, destination: destination, component: component)
        }
    }

    mutating func describeIPCP(_ process: ProcessID, for requester: Requester) {
        guard usableIPCP(process, for: requester) != nil else { return }
        ask(process, .describe, for: requester) { .describe($0) }
    }

    private mutating func canConnect(_ ipcp: IPCPRecord, for requester: Requester) -> Bool {
        guard ipcp.type.hasEnrolment else {
            fail(
                requester, .ipcp,
                "cannot establish connections for this IPCP type: \(ipcp.process) is of type \(ipcp.type.name)")
            return false
        }
        return true
    }

    mutating func ipcpReplied(_ process: ProcessID, _ reply: IPCPReply) {
        guard let ipcp = children[process] else { return }
        switch reply {
        case .initialised(let version, let type): initialised(ipcp, version, type)
        case .succeeded(let request):
            guard let transaction = endTransaction(request, of: process) else { return }
            succeeded(transaction)
        case .failed(let request, let failure, let reason):
            guard let transaction = endTransaction(request, of: process) else { return }
            if case .query = transaction.purpose {
            } else {
                report(.supervision(.ipcpRefused(process, failure, reason: reason)))
            }
            failed(transaction, failure, reason)
        case .bootstrapped(let request, let messageBytes, let terms):
            guard let transaction = endTransaction(request, of: process) else { return }
            children.setReach(LayerReach(messageBytes: messageBytes, terms: terms), of: process)
            succeeded(transaction)
        case .mapped(let flow): remoteMapped(flow, by: process)
        case .unanswered(let flow): remoteUnanswered(flow, by: process)
        case .taken(let flow, let authentication, let address):
            remoteTaken(flow, authentication, with: address, by: process)
        case .refused(let flow, let failure, let reason): remoteRefused(flow, failure, reason, by: process)
        case .arrived(let request, let hash, let quality, let authentication, let address):
            arrived(request, hash, quality, authentication, from: address, at: process)
        case .described(let request, let status):
            guard let transaction = endTransaction(request, of: process), let requester = transaction.requester else {
                return
            }
            succeed(requester, .layer(status))
        }
    }

    private mutating func initialised(_ ipcp: IPCPRecord, _ version: ProtocolVersion, _ type: IPCPType) {
        guard case .booting(let requester, _) = ipcp.state else { return }
        guard version.major == ProtocolVersion.current.major, type == ipcp.type else {
            report(.supervision(.ipcpVersionDiffers(ipcp.process, version)))
            return bootFailed(
                ipcp.process,
                "it is of type \(type.name) and speaks version \(version), not \(ProtocolVersion.current)")
        }
        setTimer(of: ipcp.process, nil)
        children.set(.initialised, of: ipcp.process)
        report(.supervision(.ipcpCreated(ipcp.process)))
        succeed(requester, .created(ipcp.process))
    }

    mutating func endTransaction(_ request: RequestID, of ipcp: ProcessID) -> IPCPTransaction? {
        guard let transaction = children.endTransaction(request, of: ipcp) else { return nil }
        timers.cancel(transaction.timer)
        return transaction
    }

    mutating func transactionExpired(_ request: RequestID) {
        guard let ipcp = children.transactions[request]?.ipcp, let transaction = endTransaction(request, of: ipcp)
        else {
            return
        }
        report(.supervision(.ipcpSilent(ipcp)))
        failed(transaction, .timedOut, Array("IPCP \(ipcp) did not answer in time".utf8))
    }

    private mutating func succeeded(_ transaction: IPCPTransaction) {
        let ipcp = transaction.ipcp
        switch transaction.purpose {
        case .bootstrap(let configuration):
            if case .bootstrapping = children[ipcp]?.state {
                children.set(.operational(configuration.layer, configuration.hash), of: ipcp)
            }
            report(.supervision(.ipcpBootstrapped(ipcp)))
        case .enroll(let destination): report(.supervision(.ipcpEnrolled(ipcp, destination)))
        case .connect(let destination, let component):
            report(.supervision(.ipcpConnected(ipcp, destination, component: component)))
        case .disconnect(let destination, let component):
            report(.supervision(.ipcpDisconnected(ipcp, destination, component: component)))
        case .register(let name, let registration): registered(name, registration, with: ipcp)
        case .unregister(let name): report(.naming(.unregistered(name, ipcp)))
        case .query(let call, let request): searched(call, request, with: ipcp, knows: true)
        case .describe: break
        }
        if let requester = transaction.requester { succeed(requester) }
    }

    mutating func failed(_ transaction: IPCPTransaction, _ failure: Failure, _ reason: [UInt8]) {
        switch transaction.purpose {
        case .bootstrap:
            if case .bootstrapping = children[transaction.ipcp]?.state {
                children.set(.initialised, of: transaction.ipcp)
            }
        case .query(let call, let request):
            searched(call, request, with: transaction.ipcp, knows: false)
        case .enroll, .connect, .disconnect, .register, .unregister, .describe: break
        }
        guard let requester = transaction.requester else { return }
        send(.failed(requester.request, failure, reason: Array(reason.prefix(1_024))), on: requester.connection)
    }
}
