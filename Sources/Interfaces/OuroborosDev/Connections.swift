// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroboros
import FlowRuntime
import Vocabulary
import Wire

// `ouroboros/cep.h`. What each function does and returns is said there. spec: c-api §8

/// Sends who we are on a new connection.
@c(cep_snd)
public func cepSend(_ descriptor: Int32, _ connection: UnsafePointer<conn_info>?) -> Int32 {
    guard let connection else { return negative(.invalid) }
    let message = ConnectionMessage(
        component: text(connection.pointer(to: \.comp_name)), protocolName: text(connection.pointer(to: \.protocol)),
        version: connection.pointee.pref_version, syntax: connection.pointee.pref_syntax.rawValue,
        address: connection.pointee.addr)
    let bytes = message.encoded()
    let sent = try? FlowTransmit.write(descriptor, bytes, count: bytes.count)
    return sent == nil ? negative(.notPermitted) : 0
}

/// Receives who the other side of a connection is.
@c(cep_rcv)
public func cepReceive(_ descriptor: Int32, _ connection: UnsafeMutablePointer<conn_info>?) -> Int32 {
    guard let connection else { return negative(.invalid) }
    // Room for the longest names, and for what a message says that we do not know.
    var bytes = [UInt8](repeating: 0, count: 1_024)
    guard
        let count = try? FlowReceive.read(descriptor, into: &bytes, count: bytes.count), count > 0,
        count < bytes.count,
        let message = try? ConnectionMessage(decoding: bytes.prefix(count)), message.syntax <= PROTO_FIXED.rawValue
    else { return negative(.notPermitted) }
    memset(connection, 0, MemoryLayout<conn_info>.size)
    fill(&connection.pointee.comp_name, message.component)
    fill(&connection.pointee.protocol, message.protocolName)
    connection.pointee.pref_version = message.version
    connection.pointee.pref_syntax = proto_concrete_syntax(message.syntax)
    connection.pointee.addr = message.address
    return 0
}

/// The bytes of a fixed character array before its NUL.
private func text<Characters>(_ characters: UnsafePointer<Characters>?) -> [UInt8] {
    guard let characters else { return [] }
    let bytes = UnsafeRawBufferPointer(start: characters, count: MemoryLayout<Characters>.size)
    return Array(bytes.prefix { $0 != 0 }.prefix(ConnectionMessage.nameBytes))
}

private func fill<Characters>(_ characters: inout Characters, _ bytes: [UInt8]) {
    withUnsafeMutableBytes(of: &characters) { place in
        place.copyBytes(from: bytes.prefix(place.count - 1))
    }
}
