import Authentication

package struct MessageDigest: AuthenticationDigest {
    package init() {}
    package func digest(of bytes: [UInt8], nid: UInt16) -> [UInt8]? { bytes }
}
