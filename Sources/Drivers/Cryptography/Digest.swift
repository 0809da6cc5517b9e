// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COpenSSL

enum Digest {
    /// By a method of OpenSSL; nil if this build of it lacks the method.
    static func of(_ bytes: [UInt8], with method: OpaquePointer?) -> [UInt8]? {
        guard let method else { return nil }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MD_get_size(method)))
        let result = EVP_Digest(bytes, bytes.count, &digest, nil, method, nil)
        return result == 1 ? digest : nil
    }
}
