# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Between the values of Python and those of C, for both libraries."""

from __future__ import annotations

from typing import Any, Union

from ouroboros import __version__
from ouroboros.qos import QoSSpec

Name = Union[str, bytes]
"""A name: text, which is encoded in UTF-8, or its bytes."""


def name_bytes(name: Name, what: str = "name") -> bytes:
    """Return the bytes of a name. Raises TypeError, and ValueError if there is a NUL in it."""
    if isinstance(name, str):
        name = name.encode("utf-8", "surrogateescape")
    elif not isinstance(name, bytes):
        raise TypeError(f"{what} must be str or bytes, not {type(name).__name__}")
    if b"\0" in name:
        raise ValueError(f"{what} has a NUL in it")
    return name


def name_text(name: Name) -> str:
    """Return a name as text. Raises as ``name_bytes``."""
    return name if isinstance(name, str) else name_bytes(name).decode("utf-8", "surrogateescape")


def sentence(words: bytes) -> str:
    """Return a sentence of the libraries as text."""
    return words.decode("utf-8", "replace")


def c_qos(qos: QoSSpec, ffi: Any) -> Any:
    """Return a pointer to a ``qosspec_t``. Raises TypeError, and ValueError for a value without room in its member."""
    try:
        return ffi.new("qosspec_t *", [int(getattr(qos, member)) for member in _QOS_MEMBERS])
    except OverflowError as error:
        raise ValueError(f"a value of {qos!r} is out of range") from error
    except AttributeError as error:
        raise TypeError(f"qos must be a QoSSpec or None, not {type(qos).__name__}") from error


def python_qos(qos: Any) -> QoSSpec:
    """Return the quality that is behind a pointer."""
    return QoSSpec(*(getattr(qos, member) for member in _QOS_MEMBERS))


_QOS_MEMBERS = ("delay", "bandwidth", "availability", "loss", "ber", "in_order", "max_gap", "timeout")


def check_version(lib: Any) -> None:
    """Raise RuntimeError if an extension module was built with the headers of another version."""
    compiled = f"{lib.OUROBOROS_VERSION_MAJOR}.{lib.OUROBOROS_VERSION_MINOR}"
    own = __version__.rpartition(".")[0]
    if compiled != own:
        raise RuntimeError(f"Ouroboros version mismatch: library is {compiled}, ouroboros for Python is {own}")
