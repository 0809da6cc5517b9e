// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Wire

/// What other hosts send: management of UDP layers, authentication. The first byte chooses the decoder.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    let all = UnsafeRawBufferPointer(start: bytes, count: count)
    guard let first = all.first else { return 0 }
    let input = Array(all.dropFirst())
    switch first & 3 {
    case 0:
        // What is reserved is ignored, so the spelling may differ, but not what is said.
        guard let message = try? DatagramManagement(decoding: input) else { return 0 }
        precondition((try? DatagramManagement(decoding: message.encoded())) == message, "\(message) does not come back")
    case 1: check(input, as: .request)
    case 2: check(input, as: .response(hashBytes: 48))
    default: check(input, as: .response(hashBytes: 32))
    }
    return 0
}

/// Nothing in it is reserved: what is understood is written as it was.
private func check(_ input: [UInt8], as kind: AuthenticationMessage.Kind) {
    guard let message = try? AuthenticationMessage(decoding: input, as: kind) else { return }
    precondition(message.encoded() == input, "\(message) is spelled in two ways")
    precondition(message.signature.isEmpty || !message.certificate.isEmpty, "a signature of nobody")
}
