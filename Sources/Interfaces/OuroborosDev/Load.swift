// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroborosDev
import FlowRuntime

// What the loader and fork call, by way of Sources/Interfaces/COuroborosDev/shim.c.

/// The library has been loaded; these are the arguments of the program.
@c(ouroboros_dev_load)
public func load(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
    LibraryLife.load(count, arguments)
}

/// The process ends normally.
@c(ouroboros_dev_unload)
public func unload() { LibraryLife.unload() }

/// Before fork.
@c(ouroboros_dev_prepare_fork)
public func prepareFork() { LibraryLife.prepareFork() }

/// After fork, in the parent.
@c(ouroboros_dev_parent_forked)
public func parentForked() { LibraryLife.afterForkInParent() }

/// After fork, in the child.
@c(ouroboros_dev_child_forked)
public func childForked() { LibraryLife.afterForkInChild() }
