// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol

/// Whatever the bytes are, a decoder either refuses them or gives a message that is written as the same bytes: no two
/// messages are spelled alike, and none in two ways.
private func check<Message: LocalMessage & Equatable>(_: Message.Type, _ input: UnsafeRawBufferPointer) {
    guard let message = try? Message(decoding: Array(input)) else { return }
    let encoded = message.encoded()
    precondition(encoded.elementsEqual(input), "\(message) is spelled in two ways")
    precondition((try? Message(decoding: encoded)) == message, "\(message) does not come back")
}

/// The fuzzer's entry: the first byte chooses the decoder.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    let all = UnsafeRawBufferPointer(start: bytes, count: count)
    guard let first = all.first else { return 0 }
    let input = UnsafeRawBufferPointer(rebasing: all.dropFirst())
    switch first & 3 {
    case 0: check(ProcessMessage.self, input)
    case 1: check(ManagerMessage.self, input)
    case 2: check(IPCPRequest.self, input)
    default: check(IPCPReply.self, input)
    }
    return 0
}
