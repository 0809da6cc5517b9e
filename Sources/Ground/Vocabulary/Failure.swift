// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Why something did not happen, as the C API says it: a positive errno value. The numbers are those of Linux and of
/// `ouroboros/errno.h`. spec: c-api §3
package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let errno: Int32

    package init(errno: Int32) { self.errno = errno }

    /// From a result that is negative on failure.
    package init(result: Int) { self.errno = result >= 0 || result < -4095 ? 5 : Int32(-result) }

    package static let notPermitted = Failure(errno: 1)
    package static let noEntry = Failure(errno: 2)
    package static let interrupted = Failure(errno: 4)
    package static let inputOutput = Failure(errno: 5)
    package static let badDescriptor = Failure(errno: 9)
    package static let wouldBlock = Failure(errno: 11)
    package static let outOfMemory = Failure(errno: 12)
    package static let accessDenied = Failure(errno: 13)
    package static let busy = Failure(errno: 16)
    package static let exists = Failure(errno: 17)
    package static let invalid = Failure(errno: 22)
    package static let tableFull = Failure(errno: 23)
    package static let tooManyDescriptors = Failure(errno: 24)
    package static let nameTooLong = Failure(errno: 36)
    package static let noBuffers = Failure(errno: 105)
    package static let messageTooLong = Failure(errno: 90)
    package static let noDevice = Failure(errno: 19)
    package static let notSupported = Failure(errno: 95)
    package static let addressInUse = Failure(errno: 98)
    package static let addressNotAvailable = Failure(errno: 99)
    package static let connectionRefused = Failure(errno: 111)
    package static let timedOut = Failure(errno: 110)
    package static let notAllocated = Failure(errno: 1000)
    package static let ipcpType = Failure(errno: 1001)
    /// irmd is not there, or its connection ended.
    package static let manager = Failure(errno: 1002)
    package static let ipcp = Failure(errno: 1003)
    package static let ipcpState = Failure(errno: 1004)
    package static let flowDown = Failure(errno: 1005)
    package static let flowPeer = Failure(errno: 1006)
    package static let name = Failure(errno: 1007)
    package static let encryption = Failure(errno: 1008)
    package static let authentication = Failure(errno: 1009)

    package var description: String { FailureText.of(errno) }
}
