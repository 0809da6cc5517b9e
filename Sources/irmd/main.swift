// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import ResourceManagerRuntime

exit(ResourceManagerRuntime.run(CommandLine.argc, CommandLine.unsafeArgv))
