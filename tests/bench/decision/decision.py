#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
How long a decision takes among very many machines, beside the pairwise definition, numpy, SQLite and DuckDB on the same
machines, and beside reading the bytes that it touches. Processor time, medians. Prints figures and judges none, but that
all must find a best machine of the same overlap.

usage: decision.py [--program PATH] [--duckdb DIRECTORY] [--up-to N] [--json]
  --program  bench_decision of a release build with tests: cmake --preset default -DBUILD_TESTING=ON
              (default: build/default/bin/bench_decision)
  --duckdb   where `npm install @duckdb/node-api` was run; without it DuckDB is left out
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import others

SIZES = [(1000, 1000), (10000, 10000), (100000, 100000), (1000000, 1000000), (1000000, 10000)]
ROWS = (("understudy, cold caches", "cold_us"), ("understudy, warm", "warm_us"), ("understudy, scalar", "scalar_us"),
        ("reading its bytes, cold", "read_cold_us"), ("reading its bytes, warm", "read_warm_us"),
        ("pairwise in C", "pairwise_us"), ("numpy columns", "numpy_us"), ("SQLite", "sqlite_us"), ("DuckDB", "duckdb_us"),
        ("bytes a machine", "bytes_each"), ("adding one, µs", "add_us"), ("other weights", "set_rules_us"))


def same(name, expected, best):
    for place, (ours, theirs) in enumerate(zip(expected, best)):
        if abs(ours - theirs) > 1e-5:
            sys.exit(f"{name}: another best machine for failure {place}: {theirs}, not {ours}")


def measure(program, size, modules):
    with tempfile.TemporaryDirectory(prefix="us-decision-") as name:
        directory = Path(name)
        ran = subprocess.run([program, *map(str, size), directory], check=True, capture_output=True, text=True)
        figures = json.loads(ran.stdout)
        data = others.Data(directory)
        for key, decide in (("numpy_us", others.numpy_columns), ("sqlite_us", others.sqlite)):
            best, figures[key] = decide(data)
            same(key, figures["best"], best)
        if modules:
            best, figures["duckdb_us"] = others.duckdb(data, directory, modules)
            same("duckdb_us", figures["best"], best)
        return figures


def show(all_figures):
    def text(key, value):
        if value is None:
            return "–"
        if key in ("bytes_each", "add_us"):
            return f"{value:.1f}"
        return f"{value / 1000:.2f} ms" if value >= 1000 else f"{value:.0f} µs"

    heads = [f"{f['machines']:,}" + (f" ({f['distinct']:,})" if f["distinct"] != f["machines"] else "") for f in all_figures]
    print("| machines (distinct) | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
    for label, key in ROWS:
        print(f"| {label} | " + " | ".join(text(key, f.get(key)) for f in all_figures) + " |")
    print(f"\nkernel {all_figures[0]['kernel']}; touched: " +
          ", ".join(f"{f['touched_bytes'] / 1e6:.2f} MB" for f in all_figures))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[3]
    parser.add_argument("--program", default=root / "build/default/bin/bench_decision")
    parser.add_argument("--duckdb", type=Path)
    parser.add_argument("--up-to", type=int, default=1000000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    all_figures = [measure(arguments.program, size, arguments.duckdb) for size in SIZES if size[0] <= arguments.up_to]
    if arguments.json:
        print(json.dumps(all_figures))
    else:
        show(all_figures)


if __name__ == "__main__":
    main()
