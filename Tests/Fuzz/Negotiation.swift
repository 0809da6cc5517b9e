// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import FlowProtocol
import Vocabulary

/// What another host says beside a request or an answer. Whatever it is, an end that is told of profile 1 has properties that
/// can be true, and an agreement comes back as it was written.
private func check(_ agreement: FlowAgreement) {
    precondition(FlowAgreement(items: agreement.items) == agreement, "\(agreement) does not come back")
    guard case .profile1(let own, let peer) = agreement else { return }
    precondition(own.isValid && peer.isValid, "\(agreement) cannot be")
}

/// The fuzzer's entry: the bytes are the data of a request, of an answer, and items.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt {
    let data = Array(UnsafeRawBufferPointer(start: bytes, count: count))
    let own = EndProperties.ours(firstSequence: 7, packetBytes: 8_976)
    for quality in [.raw, .bestEffort, .data] as [QualityOfService] {
        let request = Negotiation.Request(quality, own: own)
        if let result = try? request.result(of: data) { check(result.agreement) }
        guard let response = try? Negotiation.Response(to: data, quality, own: own) else { continue }
        check(response.result.agreement)
        // What a server answers to anything is understood by the one that it answers.
        let result = try? request.result(of: response.data)
        precondition(result?.isOurs == response.result.isOurs, "\(response) is not what \(data) asked for")
    }
    if let agreement = FlowAgreement(items: data) { check(agreement) }
    return 0
}
