# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counts what was as expected and what was not, for programs that test programs."""

import sys

passed = failed = 0


def check(title, expected, actual):
    global passed, failed
    if expected == actual:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {title}: expected {expected!r}, not {actual!r}")


def finish():
    """Ends the program."""
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)
