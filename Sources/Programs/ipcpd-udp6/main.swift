// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import DatagramRuntime
import Shims

exit(DatagramDaemon<UDP6IPCP>.run())
