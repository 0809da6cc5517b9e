// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import IPCPRuntime

exit(DatagramDriver.run(.ipv6))
