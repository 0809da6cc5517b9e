// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Wire

/// What two components say to each other first. A message that is understood comes back the same; its spelling may
/// differ, since protobuf allows many.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    guard let message = try? ConnectionMessage(decoding: input) else { return 0 }
    precondition(message.component.count <= ConnectionMessage.nameBytes)
    precondition(message.protocolName.count <= ConnectionMessage.nameBytes)
    precondition((try? ConnectionMessage(decoding: message.encoded())) == message, "\(message) does not come back")
    return 0
}
