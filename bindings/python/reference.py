#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Make the manual page of the bindings from the docstrings, of which those of classes in C stand in native.

reference.py PAGE               write it
reference.py --check PAGE       say whether it is what would be written
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

BINDINGS = Path(__file__).resolve().parent
SOURCES = BINDINGS / "src" / "ouroboros"
MODULES = ("dev", "properties", "statistics", "inplace", "event", "aio", "qos", "irm", "configuration", "cli", "errors")
DATE = "December 1, 2026"

HEAD = f"""\
.\\" Ouroboros in Swift. Apache License 2.0 with LLVM exception.
.\\" SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
.\\" Made by bindings/python/reference.py from the docstrings: change those.
.Dd {DATE}
.Dt OUROBOROS-PYTHON 3
.Os "Ouroboros 0.23.0"
.Sh NAME
.Nm ouroboros\\-python
.Nd flows, flow sets, asyncio and management for Python
.Sh SYNOPSIS
.Li "from ouroboros.dev import flow_alloc, flow_accept"
.Pp
.Li "from ouroboros.aio import open_flow, Listener"
.Pp
.Li "pip install ./bindings/python"
.Sh DESCRIPTION
"""

FOOT = """\
.Sh SEE ALSO
.Xr fevent 3 ,
.Xr flow_alloc 3 ,
.Xr flow_read 3 ,
.Xr flow_reserve 3 ,
.Xr ouroboros\\-dev 3 ,
.Xr ouroboros\\-irm 3 ,
.Xr ouroboros\\-errors 7 ,
.Xr ouroboros\\-glossary 7 ,
.Xr ouroboros\\-tutorial 7 ,
.Xr irm 8
"""


def escaped(text: str) -> str:
    """Return text of which nothing is taken for a command."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def argument(text: str) -> str:
    """Return text as one argument of a macro."""
    return '"' + escaped(text).replace('"', "\\(dq") + '"'


def prose(text: str) -> Iterator[str]:
    """Go through the lines of a paragraph: sentences, and macros for what is literal or stressed."""
    text = re.sub(r"\s+", " ", text.strip())
    opening = re.match(r"\*\*(.+?)\*\*(\W?)", text)
    if opening:
        yield f".Sy {argument(opening[1])} {opening[2]}".rstrip()
        text = text[opening.end() :].lstrip()
    # A literal with the signs that stick to it, or what stands between two of them.
    for piece in re.finditer(r"(\(?)``(.+?)``([^\s\w`]*)(\S*)|((?:(?!\(?``).)+)", text):
        before, literal, behind, rest, plain = piece.groups()
        if plain is not None:
            yield from (escaped(part) for part in re.split(r"(?<=[.;:]) ", plain.strip()) if part)
        else:
            signs = " ".join(behind)
            opened = f"{before} " if before else ""
            yield f".Li {opened}{argument(literal)} {signs}".rstrip()
            if rest:
                yield f".Ns {escaped(rest)}"


def blocks(docstring: str) -> Iterator[tuple[str, str]]:
    """Go through a docstring: paragraphs, members of lists, and code, each with its text."""
    for block in re.split(r"\n\s*\n", docstring):
        if block.startswith("    "):
            yield "code", block
            continue
        entry: list[str] = []
        for line in block.split("\n"):
            if re.match(r"[\w., ]+: ", line) and re.match(r"[a-z][\w.]*(, [a-z][\w.]*)*: ", line):
                if entry:
                    yield kind_of(entry)
                entry = [line]
            elif entry and not line.startswith("    ") and is_member(entry):
                yield kind_of(entry)
                entry = [line]
            else:
                entry.append(line)
        yield kind_of(entry)


def is_member(lines: list[str]) -> bool:
    """Say whether lines are a name, a colon, and what the name means."""
    return bool(re.match(r"[a-z][\w.]*(, [a-z][\w.]*)*: ", lines[0]))


def kind_of(lines: list[str]) -> tuple[str, str]:
    """Return a block of these lines."""
    return ("member" if is_member(lines) else "prose"), "\n".join(lines)


def document(docstring: str) -> Iterator[str]:
    """Go through the lines that a docstring becomes."""
    is_first = True
    is_list = False
    code: list[str] = []

    def end_of_code() -> Iterator[str]:
        if code:
            yield from (".Bd -literal -offset indent", *code, ".Ed")
            code.clear()

    for kind, text in blocks(docstring):
        if kind != "code":
            yield from end_of_code()
        if kind != "member" and is_list:
            yield ".El"
            is_list = False
        if kind == "code":
            code += [""] if code else []
            code += [escaped(line[4:]) for line in text.split("\n")]
        elif kind == "member":
            name, _, meaning = text.partition(": ")
            if not is_list:
                yield ".Bl -tag -width Ds"
                is_list = True
            yield f".It {argument(name)}"
            yield from prose(meaning)
        elif text.strip() != "::":
            if not is_first:
                yield ".Pp"
            yield from prose(re.sub(r"::$", ":", text))
        is_first = False
    yield from end_of_code()
    if is_list:
        yield ".El"


def docstring_of(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the docstring without its indentation."""
    return ast.get_docstring(node) or ""


def signature(function: ast.FunctionDef | ast.AsyncFunctionDef, is_method: bool) -> str:
    """Return a call as a reader would write it, with the defaults."""
    arguments = function.args.args[1 if is_method else 0 :]
    defaults = [None] * (len(function.args.args) - len(function.args.defaults)) + list(function.args.defaults)
    shown = [
        name.arg if default is None else f"{name.arg}={ast.unparse(default)}"
        for name, default in zip(arguments, defaults[len(defaults) - len(arguments) :])
    ]
    if function.args.kwonlyargs:
        shown.append("*")
    for name, default in zip(function.args.kwonlyargs, function.args.kw_defaults):
        shown.append(name.arg if default is None else f"{name.arg}={ast.unparse(default)}")
    word = "await " if isinstance(function, ast.AsyncFunctionDef) and not function.name.startswith("_") else ""
    return f"{word}{function.name}({', '.join(shown)})"


def values(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Go through the public names that get a value, with what is said of them."""
    for statement, following in zip(body, [*body[1:], None]):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, statement.value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            name, value = statement.target.id, statement.value
        else:
            continue
        if name.startswith("_") or (name.islower() and isinstance(value, ast.Call)):
            continue
        text = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            text = str(following.value.value)
        # What is a value of the C library is told by the C library's own pages.
        shown = ast.unparse(value)
        is_told = isinstance(value, ast.Attribute) or len(shown) > 40
        yield (name if is_told else f"{name} = {shown}"), text


def members(entries: list[tuple[str, str]]) -> Iterator[str]:
    """Go through a list of names with what is said of each."""
    if entries:
        yield ".Bl -tag -width Ds"
        for title, text in entries:
            yield f".It Li {argument(title)}"
            yield from document(text)
        yield ".El"


def class_entries(definition: ast.ClassDef) -> list[tuple[str, str]]:
    """Return the public members of a class."""
    entries = list(values(definition.body))
    for method in definition.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
            text = docstring_of(method)
            is_property = any(getattr(one, "id", "") == "property" for one in method.decorator_list)
            if text and (not method.name.startswith("_") or method.name.startswith("__")):
                entries.append((method.name if is_property else signature(method, is_method=True), text))
    return entries


def docstrings_in_c(source: Path) -> dict[str, str]:
    """Return the text of each PyDoc_STRVAR(NAME_doc, ...) of a C file, without a signature in its first line."""
    literals = re.findall(r'PyDoc_STRVAR\((\w+)_doc,((?:\s*"(?:[^"\\]|\\.)*")+)\);', source.read_text())
    # Such literals are written in Python as in C.
    return {name: str(ast.literal_eval(f"({text})")).rpartition("\n--\n\n")[2] for name, text in literals}


def classes_in_c(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """Go through the classes that a module imports from extension modules: signatures of the stub, docstrings of C."""
    for statement in tree.body:
        if not isinstance(statement, ast.ImportFrom) or not (statement.module or "").startswith("ouroboros._"):
            continue
        name = str(statement.module).removeprefix("ouroboros._")
        source, stub = BINDINGS / "native" / f"{name}.c", SOURCES / f"_{name}.pyi"
        if not source.exists() or not stub.exists():
            continue
        texts = docstrings_in_c(source)
        for one in ast.parse(stub.read_text()).body:
            if isinstance(one, ast.ClassDef) and one.name in {alias.name for alias in statement.names}:
                for method in one.body:
                    if isinstance(method, ast.FunctionDef):
                        describe(method, texts.get(f"{one.name}_{method.name}", ""))
                describe(one, texts[one.name])
                yield one


def describe(node: ast.ClassDef | ast.FunctionDef, text: str) -> None:
    """Give a docstring to what has none."""
    if text:
        node.body.insert(0, ast.Expr(ast.Constant(text)))


def module(name: str) -> Iterator[str]:
    """Go through the lines of a module."""
    tree = ast.parse((SOURCES / f"{name}.py").read_text())
    yield f".Sh MODULE ouroboros.{name}"
    yield from document(docstring_of(tree))
    constants = [entry for entry in values(tree.body) if entry[0] != "NameError = IrmNameError"]
    if constants:
        yield ".Ss Values"
        yield from members(constants)
    functions = [
        (signature(one, is_method=False), docstring_of(one))
        for one in tree.body
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_public(one, tree)
    ]
    if functions:
        yield ".Ss Functions"
        yield from members(functions)
    for one in [*tree.body, *classes_in_c(tree)]:
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            bases = ", ".join(ast.unparse(base) for base in one.bases)
            yield f".Ss Class {escaped(one.name)}{f'({bases})' if bases else ''}"
            yield from document(docstring_of(one))
            yield from members(class_entries(one))


def is_public(function: ast.FunctionDef | ast.AsyncFunctionDef, tree: ast.Module) -> bool:
    """Say whether a module lists a function in __all__."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return f"'{function.name}'" in ast.unparse(statement.value)
    return False


def page() -> str:
    """Return the whole page."""
    lines = list(document(docstring_of(ast.parse((SOURCES / "__init__.py").read_text()))))
    for name in MODULES:
        lines += module(name)
    return HEAD + "\n".join(lines) + "\n" + FOOT


def main() -> int:
    """Do what the command line says."""
    arguments = sys.argv[1:]
    if len(arguments) == 1 and not arguments[0].startswith("-"):
        Path(arguments[0]).write_text(page())
        return 0
    if len(arguments) == 2 and arguments[0] == "--check":
        if Path(arguments[1]).read_text() == page():
            return 0
        print(f"{arguments[1]} is stale: run bindings/python/reference.py man/ouroboros-python.3", file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
