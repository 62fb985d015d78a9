#!/usr/bin/env python3
"""Makes the corpora to start from, in fuzz/corpus/<target>, out of files that are in the repository anyway.

What stands in fuzz/seeds/<target> is used as it is: inputs of past findings, and files that no other part of the repository has.
"""
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BAD_FILES = ROOT / "handlers/engine/corpus"
# Longer inputs only make the fuzzer slow.
MOST = 4096


def write(target, name, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    if len(content) <= MOST:
        (folder / f"seed-{name}").write_bytes(content)


def csv():
    for number, file in enumerate(sorted(BAD_FILES.glob("*.csv"))):
        content = file.read_bytes()
        # Every file in a plain dialect, and in one of the others.
        write("csv", f"{file.stem}-plain", bytes([1, 15, 20, 6]) + content)
        write("csv", f"{file.stem}-other", bytes([number % 22, 40, 0, 2]) + content)


def ndjson():
    lines = (ROOT / "samples/orders/orders-2024-05.ndjson").read_bytes().splitlines(keepends=True)[:60]
    for first in range(0, len(lines), 3):
        write("ndjson", str(first), bytes([first % 4, 30, 100, 16]) + b"".join(lines[first:first + 3]))
    values = b'{"order_id":"a","n":1,"amount":1.50,"f":1e3,"yes":true,"day":"2024-02-29","placed_at":"2024-02-29T12:00:00Z","t":"12:00:00",' \
             b'"items":[1,{"a":null}],"customer":{"b":"\\u00e9\\""}}\n'
    write("ndjson", "values", bytes([0, 50, 50, 50]) + values * 2)


def compressed():
    for number, file in enumerate(sorted(BAD_FILES.glob("*.csv"))[::4]):
        write("compressed", file.stem, bytes([number % 16, 7, 20]) + file.read_bytes())


def contract():
    for pipeline in [*ROOT.glob("samples/*/*.pipeline.yaml"), *BAD_FILES.glob("*.pipeline.yaml"), *ROOT.glob("benches/*/*.pipeline.yaml")]:
        text = pipeline.read_text()
        name = next(line.removeprefix("contract:").strip() for line in text.splitlines() if line.startswith("contract:"))
        write("contract", pipeline.stem, text.encode() + b"\0" + (pipeline.parent / name).read_bytes())


def envelope():
    for file in (ROOT / "tests/fixtures").glob("*.json"):
        write("envelope", file.stem, json.dumps(json.loads(file.read_text())["body"]).encode())


if __name__ == "__main__":
    for target in [csv, ndjson, compressed, contract, envelope]:
        target()
