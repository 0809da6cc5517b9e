// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroboros
import FlowRuntime
import Vocabulary

// `ouroboros/fstatistics.h`. What the function does and returns is said there.

/// Fills as many fields as the caller has place for, and sets those to 0 that this library does not know.
@c(flow_statistics)
public func flowStatistics(
    _ descriptor: Int32, _ statistics: UnsafeMutablePointer<COuroboros.flow_statistics>?, _ size: Int
) -> Int32 {
    let field = MemoryLayout<UInt64>.size
    guard let statistics, size >= field, size <= 4_096, size % field == 0 else { return negative(.invalid) }
    do throws(Failure) {
        let numbers = try FlowInspection.statistics(descriptor).numbers
        let fields = UnsafeMutableRawPointer(statistics)
        for index in 0..<size / field {
            fields.storeBytes(
                of: index < numbers.count ? numbers[index] : 0, toByteOffset: index * field, as: UInt64.self)
        }
        return 0
    } catch {
        return negative(error)
    }
}
