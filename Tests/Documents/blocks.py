# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The code blocks of Markdown files and manual pages, as a reader sees them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ESCAPES = {"\\-": "-", "\\e": "\\", "\\ ": " ", "\\&": "", "\\(aq": "'", "\\(dq": '"', "\\(mc": "µ", "\\(ti": "~",
           "\\(ha": "^"}  # fmt: skip


class Block(NamedTuple):
    """What stands between two fences, in a literal display, or in lines of .Dl that follow each other."""

    file: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def of_markdown(name: str, text: str) -> list[Block]:
    """Return the fenced blocks."""
    found, begin, language = [], 0, ""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.lstrip().startswith("```"):
            continue
        if begin:
            found.append(Block(name, begin, language, "\n".join(lines[begin : number - 1]) + "\n"))
            begin = 0
        else:
            begin, language = number, line.strip()[3:]
    return found


def plain(line: str) -> str:
    """Return a line of mdoc without its escapes."""
    return re.sub(r"\\\(..|\\.", lambda match: ESCAPES.get(match[0], match[0]), line)


def of_manual(name: str, text: str) -> list[Block]:
    """Return literal displays, and lines of .Dl: as many as follow each other are one block."""
    found: list[Block] = []
    literal: list[str] | None = None
    single: list[str] = []
    begin = 0
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if single and not line.startswith(".Dl "):
            found.append(Block(name, begin, "", "\n".join(single) + "\n"))
            single = []
        if line.startswith(".Bd ") and "-literal" in line:
            literal, begin = [], number
        elif line.startswith(".Ed") and literal is not None:
            found.append(Block(name, begin, "", "\n".join(literal) + "\n"))
            literal = None
        elif literal is not None:
            literal.append(plain(line))
        elif line.startswith(".Dl "):
            begin = begin if single else number
            single.append(plain(line[4:]))
    return found


def of_project(root: Path) -> dict[str, list[Block]]:
    """Return the blocks of every file that has some. Pages that are links have none of their own."""
    documents = [*root.glob("*.md"), *root.glob("Examples/*.md"), *root.glob("Tests/**/*.md")]
    documents += [*root.glob("bindings/**/*.md"), *root.glob("Sources/**/*.md"), *root.glob("Documentation/**/*.md")]
    documents += root.glob("Specification/**/*.md")
    found = {}
    for file in sorted({*documents, *root.glob("man/*.[1-8]")}):
        name = str(file.relative_to(root))
        if file.is_symlink() or "/build/" in name or "/.build/" in name:
            continue
        blocks = (of_markdown if name.endswith(".md") else of_manual)(name, file.read_text())
        if blocks:
            found[name] = blocks
    return found
