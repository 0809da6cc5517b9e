// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import CountedMemory
import IPCPRuntime

// ipcpd-udp4, which shows how often it asks for memory; see Tests/Allocations.

counted_memory_begin()
exit(DatagramDriver.run(.ipv4))
