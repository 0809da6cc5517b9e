import Vocabulary

package protocol AuthenticationDigest: Sendable { func digest(of bytes: [UInt8], nid: UInt16) -> [UInt8]? }
package struct AuthenticationClient: Sendable {
    package let request: [UInt8]
    package init(id: [UInt8], timestamp: UInt64) { request = id }
    package func complete(_ response: [UInt8], digest: any AuthenticationDigest) throws(Failure) {
        guard response == request else { throw .ipcp }
    }
}
package struct AuthenticationServer: Sendable {
    package init() {}
    package mutating func answer(_ request: [UInt8], now: UInt64, digest: any AuthenticationDigest) throws(Failure)
        -> [UInt8]
    { request }
}
