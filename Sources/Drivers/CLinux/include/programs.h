// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What program a process runs, if the kernel only knows the interpreter of it.

#ifndef OUROBOROS_PROGRAMS_H
#define OUROBOROS_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

/// The file of this name (the last component of a path) runs programs that are named by its arguments: an interpreter of
/// any version, a dynamic loader, an emulator.
bool cl_is_interpreter(const char *name, size_t length);
/// The program of this process, by the arguments of its main(): of an interpreter the absolute path of the script without
/// links, of a loader that of its program, else the first argument as it is. Bytes written, which need no zero behind.
size_t cl_own_program(int argc, char *const *argv, char *path, size_t capacity);
/// The same, with the interpreter's name given: the index of the argument that names the script; 0: there is none.
int cl_script_argument(const char *interpreter, size_t length, int argc, char *const *argv);

#endif
