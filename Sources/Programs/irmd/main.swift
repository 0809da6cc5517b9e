// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import ResourceManagerRuntime
import ToolSupport

exit(ResourceManagerRuntime.run(commandLineWords()))
