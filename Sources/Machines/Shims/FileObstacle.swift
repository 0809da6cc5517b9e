// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Vocabulary

/// Why a file that somebody named to an IPCP is of no use to it.
package enum FileObstacle: Error, Hashable, Sendable {
    case failure(Failure)
    /// A pipe, a device, a directory, or a file that the kernel makes up: it has no contents that stay.
    case notRegular
    case tooLong
    /// Its contents are different at each look.
    case unsteady
    /// It was not read in time: its file system does not answer.
    case late
    /// Only who runs irmd can name one, since the IPCP cannot read with the rights of others.
    case foreignRights(user: UserID)
}

extension FileObstacle: CustomStringConvertible {
    /// What follows the path and a colon.
    package var description: String {
        switch self {
        case .failure(let failure): "\(failure)"
        case .notRegular:
            "it is not an ordinary file; write its contents to an ordinary file, which a layer can read again"
        case .tooLong: "it is longer than \(Limits.namedFileBytes >> 20) MiB"
        case .unsteady: "it changes all the time; write a new file and rename it"
        case .late: "it could not be read within \(Limits.namedFilesTimeout.nanoseconds / 1_000_000_000) s"
        case .foreignRights(let user): "irmd runs as uid \(user), which alone, with root, can name files to it"
        }
    }

    package var failure: Failure {
        switch self {
        case .failure(let failure): failure
        case .notRegular, .unsteady: .invalid
        case .tooLong: .messageTooLong
        case .late: .timedOut
        case .foreignRights: .notPermitted
        }
    }
}
