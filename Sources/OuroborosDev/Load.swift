// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import COuroborosDev
import FlowRuntime

// What the loader and fork call, by way of Sources/COuroborosDev/shim.c.

/// The library has been loaded; these are the arguments of the program.
@c(ouroboros_dev_load)
public func load(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
    var texts: [[UInt8]] = []
    if let arguments {
        // Only the program and, behind an interpreter, its options and the script matter.
        for index in 0..<min(Int(count), 16) {
            guard let argument = arguments[index] else { break }
            texts.append(Array(UnsafeRawBufferPointer(start: argument, count: strnlen(argument, 4_096))))
        }
    }
    Attachment.load(arguments: texts)
}

/// The process ends normally.
@c(ouroboros_dev_unload)
public func unload() { Attachment.unload() }

/// Before fork.
@c(ouroboros_dev_prepare_fork)
public func prepareFork() { Attachment.prepareFork() }

/// After fork, in the parent.
@c(ouroboros_dev_parent_forked)
public func parentForked() { Attachment.afterForkInParent() }

/// After fork, in the child.
@c(ouroboros_dev_child_forked)
public func childForked() { Attachment.afterForkInChild() }
