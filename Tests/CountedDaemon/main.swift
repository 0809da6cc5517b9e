// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import CountedMemory
import DatagramRuntime
import Shims

// ipcpd-udp4, which shows how often it asks for memory; see Tests/Allocations.

counted_memory_begin()
exit(DatagramDaemon<UDP4IPCP>.run())
