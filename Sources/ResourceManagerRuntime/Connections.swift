// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import ResourceManagement
import Vocabulary

/// Connections of processes: they come, say something, and are answered.
extension ManagerDaemon {
    func acceptConnections() {
        for _ in 0..<64 {
            let result = cl_accept(site.listener.number)
            guard result >= 0 else {
                switch Failure(result: Int(result)) {
                case .tooManyDescriptors, .tableFull, .outOfMemory: stopListening(Failure(result: Int(result)))
                // Nobody more; or one that has gone again.
                default: break
                }
                return
            }
            admit(Descriptor(owning: result))
        }
    }

    private func admit(_ socket: consuming Descriptor) {
        guard let credentials = ManagerDaemon.credentials(socket.number) else { return }
        let id = ConnectionID(nextConnection)
        nextConnection += 1
        do throws(Failure) {
            try loop.add(socket.number, token: Source.connection.token(id.rawValue))
        } catch {
            return write(.warning, "irmd", "A connection could not be served: \(error).")
        }
        ports[id] = Port(credentials.process, token: Source.connection.token(id.rawValue), socket)
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

    /// There are no descriptors left: who waits to connect waits until somebody leaves.
    private func stopListening(_ failure: Failure) {
        guard isListening else { return }
        isListening = false
        loop.remove(site.listener.number)
        write(.error, "irmd", "No more connections can be accepted: \(failure). New ones wait until others end.")
    }

    private func listenAgain() {
        guard !isListening else { return }
        // If there is no memory for this, the next connection that ends tries again.
        isListening = (try? loop.add(site.listener.number, token: Source.listener.token())) != nil
    }

    func attend(to id: ConnectionID, _ readiness: EventLoop.Readiness) {
        guard let port = ports[id] else { return }
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

    /// One message, so that nobody keeps the others waiting: who has more is ready again in the next turn.
    private func receive(on port: Port, _ id: ConnectionID) {
        guard !port.isBlocked else { return }
        let arrival: MessageSocket.Arrival?
        do throws(Failure) {
            arrival = try MessageSocket.receive(on: port.number, nonBlocking: true)
        } catch {
            if error == .wouldBlock { return }
            if error == .messageTooLong { warnOfBytes(port, "a message that is too long") }
            return lose(id)
        }
        // Descriptors that came along are closed with `arrival`: nobody is asked to send any.
        guard let arrival else { return lose(id) }
        guard let message = ManagerDaemon.message(arrival.bytes) else {
            warnOfBytes(port, "\(arrival.bytes.count) bytes that are no message")
            return lose(id)
        }
        handle(.received(id, message, ProcessFacts.finding(for: message, from: port.process)))
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
        close(id)
        handle(.disconnected(id))
    }

    func close(_ id: ConnectionID) {
        guard let port = ports.removeValue(forKey: id) else { return }
        loop.remove(port.number)
        listenAgain()
    }
}
