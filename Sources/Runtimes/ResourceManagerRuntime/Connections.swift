// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// Connections of processes: they come, say something, and are answered.
extension ManagerDaemon {
    func acceptConnections() {
        for _ in 0..<Limits.connectionsPerTurn {
            let result = cl_accept(site.listener)
            guard result >= 0 else {
                switch Failure(result: Int(result)) {
                // Nobody more; or one that has gone again, or was interrupted.
                case .wouldBlock, .interrupted, Failure(errno: ECONNABORTED), Failure(errno: EPROTO): break
                default: stopListening(Failure(result: Int(result)))
                }
                return
            }
            admit(Descriptor(owning: result))
        }
    }

    private func admit(_ socket: consuming Descriptor) {
        guard let credentials = ManagerDaemon.credentials(socket.number) else {
            return complain("getsockopt(SO_PEERCRED) failed: \(Failure(errno: cl_errno())). Connections are refused")
        }
        // A child that says something runs its program.
        settleStart(of: credentials.process)
        culprit = credentials.user
        defer { culprit = nil }
        let id = ConnectionID(nextConnection)
        nextConnection += 1
        let process: ProcessHandleBox
        do throws(Failure) {
            process = try ProcessFacts.handle(of: credentials, on: socket.number)
            try loop.add(socket.number, token: Source.connection.token(id.rawValue))
        } catch {
            // That of a process that has ended meanwhile is of no interest to anybody.
            if error != Failure(errno: ESRCH) {
                write(.warning, "irmd", "A connection of process \(credentials.process) is refused: \(error).")
            }
            return closing.close([socket.release()], of: credentials.user)
        }
        let port = Port(
            credentials.process, of: credentials.user, token: Source.connection.token(id.rawValue), socket)
        port.handle = process
        ports[id] = port
        guard closing.unclosed(of: credentials.user) < Limits.unclosedDescriptors else {
            write(.warning, "irmd", "User \(credentials.user) has sent descriptors that take long to close.")
            return close(id)
        }
        handle(.connected(id, credentials))
    }

    private static func credentials(_ socket: Int32) -> Credentials? {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
        guard cl_peer(socket, &process, &user, &group) == 0 else { return nil }
        var groups = [UInt32](repeating: 0, count: 256)
        // A process in more groups than that manages by its first ones, or not at all.
        let count = max(0, cl_peer_groups(socket, &groups, Int32(groups.count)))
        return Credentials(
            process: ProcessID(process), user: UserID(user), group: GroupID(group),
            groups: groups.prefix(Int(count)).map(GroupID.init))
    }

    /// There are no descriptors left, or no memory: whoever wants to connect waits until somebody leaves, or a moment.
    /// The listener would be ready all the time meanwhile.
    private func stopListening(_ failure: Failure) {
        guard isListening else { return }
        isListening = false
        loop.remove(site.listener)
        listenAgainAt = Clock.now() + Limits.acceptPause
        complain(
            "accept4() failed: \(failure). New connections wait"
                + (cl_is_refusal(failure.errno) ? "" : " until others end; raise the limit of open files."))
    }

    /// Of what stands in the way of all connections, now and then. A sentence without an end is about what is not allowed
    /// to irmd.
    private func complain(_ text: String) {
        let now = Clock.now()
        guard now.since(lastComplaint) >= Limits.complaintInterval else { return }
        lastComplaint = now
        let advice = text.hasSuffix(".") ? "" : "; allow that to irmd in the sandbox or container that it runs in."
        write(.error, .own, "irmd", text + advice)
    }

    func listenAgain() {
        guard !isListening else { return }
        // If there is no memory for this, it is tried again.
        isListening = (try? loop.add(site.listener, token: Source.listener.token())) != nil
        listenAgainAt = isListening ? nil : Clock.now() + Limits.acceptPause
    }

    func attend(to id: ConnectionID, _ readiness: EventLoop.Readiness) {
        guard let port = ports[id] else { return }
        culprit = port.user
        defer { culprit = nil }
        // Whatever there is to be said of a blocked one: sending shows what it is.
        if port.isBlocked {
            do throws(Failure) {
                try port.sendQueued(loop)
            } catch {
                return lose(id)
            }
        }
        if readiness.isReadable { receive(on: port, id) }
    }

    /// One message, so that nobody keeps the others waiting: a process that sent more is ready again in the next turn.
    private func receive(on port: Port, _ id: ConnectionID) {
        guard !port.isBlocked else { return }
        let (result, bytes, descriptors) = ManagerDaemon.receive(from: port.number)
        if !descriptors.isEmpty {
            // Nobody is asked to send any, so it is none of our programs.
            closing.close(descriptors, of: port.user)
            warnOfBytes(port, "descriptors")
            return lose(id)
        }
        guard result > 0 else {
            if Failure(result: result) == .wouldBlock { return }
            if Failure(result: result) == .messageTooLong { warnOfBytes(port, "a message that is too long") }
            if result < 0, cl_is_refusal(Int32(-result)) {
                complain("recvmsg() failed: \(Failure(result: result)). irmd cannot receive messages")
            }
            return lose(id)
        }
        guard let message = ManagerDaemon.message(bytes) else {
            warnOfBytes(port, "\(bytes.count) bytes that are not a message")
            return lose(id)
        }
        receive(message, on: port, id)
    }

    private static func receive(from socket: Int32) -> (result: Int, bytes: [UInt8], descriptors: [Int32]) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: Int(CL_MESSAGE_DESCRIPTORS)) { descriptors in
            withUnsafeTemporaryAllocation(byteCount: Limits.localMessageBytes, alignment: 8) { buffer in
                var count: Int32 = 0
                let result = cl_receive_from_stranger(
                    socket, buffer.baseAddress, buffer.count, descriptors.baseAddress, &count)
                return (
                    result, Array(buffer.prefix(max(0, result))), count > 0 ? Array(descriptors.prefix(Int(count))) : []
                )
            }
        }
    }

    private func receive(_ message: ProcessMessage, on port: Port, _ id: ConnectionID) {
        if let process = port.handle {
            // A greeting of a process that has ended came from another one that has a copy of the connection, and the
            // number may be a third one's by now.
            guard !process.handle.isOver else { return lose(id) }
            // The number may be known from another process, of whose end we have not heard yet.
            if let watch = watches[port.process], watch.handle.isOver { handle(.died(port.process)) }
            port.handle = nil
            found = process
        }
        if let fact = fact(for: message, on: port, id) { handle(.received(id, message, fact)) }
        found = nil
    }

    /// The files are looked at.
    func takeFindings() {
        for answer in inquiries.takeAnswers() {
            handle(.received(answer.connection, answer.message, answer.fact), of: ports[answer.connection]?.user)
        }
    }

    /// Nil: it comes later.
    private func fact(for message: ProcessMessage, on port: Port, _ id: ConnectionID) -> SystemFact? {
        switch message {
        case .hello(let hello):
            guard hello.role != .management else { return .nothing }
            return .program(ProcessFacts.program(of: port.process, announced: hello.program))
        case .manage(_, .bindProcess(let number, _)):
            guard machine.mayManage(id) else { return .nothing }
            let process = ProcessFacts.containedNumber(of: port.process).map { own in
                own.number == number ? port.process : contained[own.with(number)] ?? ProcessID(0)
            }
            let (fact, handle) = ProcessFacts.process(process ?? number)
            found = handle
            return fact
        case .manage(_, .bindProgram(let program, _, let autoStart, _, _)):
            guard machine.mayManage(id) else { return .nothing }
            return inquiries.fact(
                for: program, startedFor: autoStart ? port.user : nil, of: port.user, in: message, on: id)
        case .manage, .allocate, .accept, .join, .taken, .refused, .deallocate, .described: return .nothing
        }
    }

    /// Nil if it is none. Of a greeting in a version that we do not know, what is needed to refuse it.
    private static func message(_ bytes: [UInt8]) -> ProcessMessage? {
        if let message = try? ProcessMessage(decoding: bytes) { return message }
        guard let version = Hello.version(in: bytes), version.major != ProtocolVersion.current.major else { return nil }
        var hello = Hello(role: .call)
        hello.version = version
        return .hello(hello)
    }

    private func warnOfBytes(_ port: Port, _ what: String) {
        write(.warning, "irmd", "Process \(port.process) sent \(what), connection dropped.")
    }

    func send(_ message: ManagerMessage, on id: ConnectionID) {
        guard let port = ports[id] else { return }
        do throws(Failure) {
            try port.send(message.encoded(), loop)
        } catch {
            if cl_is_refusal(error.errno) { complain("sendmsg() failed: \(error). irmd cannot send messages") }
            if error == .tableFull {
                write(.warning, "irmd", "Process \(port.process) does not read its messages, connection dropped.")
            }
            return lose(id)
        }
    }

    func send(_ offer: FlowOffer, _ request: RequestID, on id: ConnectionID) {
        guard let port = ports[id] else { return }
        guard let descriptors = flows.descriptors(for: offer) else { return lose(id) }
        do throws(Failure) {
            try port.send(ManagerMessage.offer(request, offer).encoded(), with: descriptors)
        } catch {
            write(.warning, "irmd", "Process \(port.process) could not be sent a flow: \(error), connection dropped.")
            lose(id)
        }
    }

    /// The connection ended, or is not to be used any more; the machine learns it as soon as it is not busy.
    private func lose(_ id: ConnectionID) {
        let user = ports[id]?.user
        close(id)
        handle(.disconnected(id), of: user)
    }

    func close(_ id: ConnectionID) {
        guard let port = ports.removeValue(forKey: id) else { return }
        loop.remove(port.number)
        // What was sent and not read goes with the socket.
        cl_end_connection(port.number)
        if let socket = port.release() { closing.close([socket], of: port.user) }
        listenAgain()
    }
}
