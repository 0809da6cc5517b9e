// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import LocalProtocol
import Platform
import Vocabulary

// A process for the tests of irmd to start and to kill. It attaches and then
//   serve    accepts and takes flows for ever
//   grab     accepts and takes nothing
//   hold     does nothing
// and ends when irmd does.

func attach(_ role: ConnectionRole) throws(Failure) -> Descriptor {
    let socket = try connect()
    try MessageSocket.send(ProcessMessage.hello(Hello(role: role)).encoded(), on: socket.number)
    guard try MessageSocket.receive(on: socket.number) != nil else { throw .manager }
    return socket
}

func connect() throws(Failure) -> Descriptor {
    do throws(RuntimeDirectory.Unreachable) { return try RuntimeDirectory.connect() } catch { throw error.failure }
}

func serve() throws(Failure) {
    let session = try attach(.session)
    let call = try attach(.call)
    let word = CommandLine.arguments.dropFirst().first
    if word == "hold" {
        while try MessageSocket.receive(on: session.number) != nil {}
        return
    }
    while true {
        try MessageSocket.send(ProcessMessage.accept(RequestID(1), timeout: nil).encoded(), on: call.number)
        guard let arrival = try MessageSocket.receive(on: call.number) else { return }
        guard case .offer(_, let offer)? = try? ManagerMessage(decoding: arrival.bytes) else { continue }
        if word == "grab" { while try MessageSocket.receive(on: session.number) != nil {} }
        try MessageSocket.send(ProcessMessage.taken(offer.flow).encoded(), on: call.number)
    }
}

do throws(Failure) { try serve() } catch { exit(1) }
