// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import IPCPRuntime
import Shims

exit(IPCPDaemon<NoLowerDriver<LocalIPCP>>.run(.local) { _, _, _ in .init(LocalIPCP(), NoLowerDriver()) })
