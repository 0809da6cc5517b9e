# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What udp/run measured, for people: a line for each run as it ends, then medians; JSON and a plot in files.

report.py ROUNDS DIRECTORY      reads the lines of JSON that udp-pair and flow-pair write

A run of which nothing came, or that failed, is told of and is in no median. Ends with 1 if a contestant has no run.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

Row = dict[str, Any]

# In the order of the plot; contestants, and what they are called.
MODES = {
    "plain": "UDP, send()",
    "batched": "UDP, sendmmsg() and GSO",
    "tcp": "TCP, cubic",
    "flow": "a raw flow",
    "flow-data": "a reliable flow",
    "flow-64": "raw, 64 bytes",
    "flow-data-64": "reliable, 64 bytes",
    "flow-data-64k": "reliable, 64 KiB",
    "flow-data-16m": "reliable, 16 MiB",
    "flow-paced": "a flow at 80 % of UDP",
    "flow-flooded": "the same in a flood",
    "flow-many": "many flows",
    "echo": "UDP round trip",
    "tcp-echo": "TCP round trip",
    "flow-echo": "raw round trip",
    "flow-data-echo": "reliable round trip",
    "flow-alloc": "flow allocation",
    "flood": "a stranger's flood",
}
FIGURES = (
    *("packets_per_second", "gigabits_per_second", "lost", "reordered", "fairness"),
    *("sender_us", "sender_ipcp_us", "receiver_ipcp_us", "receiver_us"),
    *("p50_ns", "p99_ns", "per_second"),
)
RATIOS = (
    ("one way, flow / plain", "flow", "plain", "packets_per_second"),
    ("one way, flow / batched", "flow", "batched", "packets_per_second"),
    ("one way, flooded / not", "flow-flooded", "flow-paced", "packets_per_second"),
    ("one way, many flows / one", "flow-many", "flow", "packets_per_second"),
    ("one way, reliable / raw", "flow-data", "flow", "packets_per_second"),
    ("one way, reliable / TCP", "flow-data", "tcp", "gigabits_per_second"),
    ("one way 64 B, reliable / raw", "flow-data-64", "flow-64", "packets_per_second"),
    ("64 KiB / 1,400 B, reliable", "flow-data-64k", "flow-data", "gigabits_per_second"),
    ("16 MiB / 1,400 B, reliable", "flow-data-16m", "flow-data", "gigabits_per_second"),
    ("round trip, reliable / raw", "flow-data-echo", "flow-echo", "p50_ns"),
    ("round trip, flow / echo", "flow-echo", "echo", "p50_ns"),
    ("allocation / echo", "flow-alloc", "echo", "p50_ns"),
)


def has_figures(row: Row) -> bool:
    """Return whether a run is one: packets arrived, or were answered."""
    return "failed" not in row and row.get("received", 1) > 0 and row.get("seconds", 1) > 0


def microseconds(nanoseconds: float) -> str:
    """Return a time as people read it."""
    return f"{nanoseconds / 1000:,.1f} µs"


def sentence(row: Row) -> str:
    """Return a run as one line."""
    if "failed" in row:
        return f"failed: {row['failed']}"
    if not has_figures(row):
        return f"failed: {row.get('received', 0):,} of {row.get('sent', 0):,} packets arrived, too few to measure"
    if "p50_ns" in row:
        return f"median {microseconds(row['p50_ns'])}, p99 {microseconds(row['p99_ns'])}, {row['rounds']:,} times"
    words = [f"{row['packets_per_second']:12,.0f} packets/s"]
    if "sent" not in row and "gigabits_per_second" in row:
        words.append(f"{row['gigabits_per_second']:6.2f} Gbit/s of {row['bytes']:,.0f} bytes")
    if "sent" in row:
        lost = row["lost"] / row["sent"] if row["sent"] else 0
        words.append(f"{row['gigabits_per_second']:6.2f} Gbit/s of {row['bytes']:,.0f} bytes")
        words.append(f"{row['lost']:,} lost ({lost:.1%})")
        words.append(f"{row['reordered']:,} out of order")
    if "sender_us" in row:
        busy = (row[name] for name in ("sender_us", "sender_ipcp_us", "receiver_ipcp_us", "receiver_us"))
        words.append("busy " + " + ".join(f"{value:.2f}" for value in busy) + " µs a message")
    if row.get("flows", 1) > 1:
        words.append(f"{row['flows']:,} flows, the slowest at {row['fairness']:.0%} of the fastest")
    return ", ".join(words)


def collected() -> list[Row]:
    """Read all runs, and print each as it comes."""
    rows: list[Row] = []
    for line in sys.stdin:
        try:
            row = json.loads(line)
            mode = row["mode"]
        except (ValueError, KeyError, TypeError):
            # What irm says of itself is no run.
            continue
        row["round"] = 1 + sum(other["mode"] == mode for other in rows)
        rows.append(row)
        print(f"round {row['round']}  {MODES.get(mode, mode):24} {sentence(row)}", flush=True)
    return rows


def medians_of(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Print and return the medians of all figures of all contestants."""
    medians: dict[str, dict[str, float]] = {}
    for mode in MODES:
        runs = [row for row in rows if row["mode"] == mode and has_figures(row)]
        for figure in FIGURES:
            values = [row[figure] for row in runs if figure in row]
            if values:
                median = medians.setdefault(mode, {})[figure] = statistics.median(values)
                words = f"median {median:14,.2f}   min {min(values):14,.2f}   max {max(values):14,.2f}"
                print(f"{mode:12} {figure:20} {words}")
    return medians


def plot(medians: dict[str, dict[str, float]]) -> str:
    """Return two panels of bars as SVG: packets a second, and times on a logarithmic axis with a line up to p99."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="1120" height="430" font-family="sans-serif" font-size="12">',
        '<rect width="1120" height="430" fill="white"/>',
    ]
    rates = {mode: row["packets_per_second"] for mode, row in medians.items() if row.get("packets_per_second", 0) > 0}
    rates.pop("flood", None)
    times = {mode: row for mode, row in medians.items() if row.get("p50_ns", 0) > 0}

    def text(x: float, y: float, anchor: str, words: str, more: str = "") -> None:
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#333333" {more}>{words}</text>')

    def bar(x: float, width: float, top: float, mode: str, label: str) -> None:
        colour = "#d62728" if mode.startswith("flow") else "#1f77b4"
        parts.append(f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{340 - top:.1f}" fill="{colour}"/>')
        text(x + width / 2, top - 6, "middle", label)
        text(x + width / 2, 358, "end", MODES[mode], f'transform="rotate(-25 {x + width / 2:.1f} 358)"')

    bold = 'font-size="15" font-weight="bold"'
    text(80, 30, "start", "Between two hosts, packets a second", bold)
    for i, (mode, rate) in enumerate(rates.items()):
        bar(90 + i * 620 / len(rates), 440 / len(rates), 340 - 270 * rate / max(rates.values()), mode, f"{rate / 1000:,.0f} k")
    text(740, 30, "start", "Median and p99 (logarithmic)", bold)
    if times:
        least = math.floor(math.log10(min(row["p50_ns"] for row in times.values())))
        most = max(math.ceil(math.log10(max(row["p99_ns"] for row in times.values()))), least + 1)

        def height(value: float) -> float:
            return 340 - 270 * (math.log10(max(value, 10**least)) - least) / (most - least)

        for decade in range(least, most + 1):
            y = height(10**decade)
            parts.append(f'<line x1="740" x2="1080" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
            text(732, y + 4, "end", f"{10.0**decade / 1000:,g} µs")
        for i, (mode, row) in enumerate(times.items()):
            x = 770 + i * 310 / len(times)
            bar(x, 180 / len(times), height(row["p50_ns"]), mode, microseconds(row["p50_ns"]))
            parts.append(
                f'<line x1="{x + 90 / len(times):.1f}" x2="{x + 90 / len(times):.1f}" y1="{height(row["p50_ns"]):.1f}" y2="{height(row["p99_ns"]):.1f}" '
                'stroke="#333333" stroke-width="2"/>'
            )
    return "\n".join([*parts, "</svg>\n"])


def main() -> int:
    """Report."""
    rounds, directory = int(sys.argv[1]), Path(sys.argv[2])
    rows = collected()
    print()
    medians = medians_of(rows)
    print()
    for title, left, right, figure in RATIOS:
        divisor = medians.get(right, {}).get(figure, 0)
        if divisor > 0 and figure in medians.get(left, {}):
            print(f"{title:32} {medians[left][figure] / divisor:.2f}")
    failed = False
    for mode, name in MODES.items():
        runs = sum(row["mode"] == mode and has_figures(row) for row in rows)
        if runs < rounds:
            print(f"{name}: {rounds - runs} of {rounds} runs failed")
            failed = failed or runs == 0
    (directory / "udp.json").write_text(
        json.dumps({"rounds": rounds, "runs": rows, "medians": medians}, indent=1) + "\n"
    )
    (directory / "udp.svg").write_text(plot(medians))
    print(f"\nResults: {directory}/udp.json and {directory}/udp.svg")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
