#!/usr/bin/env python3
"""Sluice, DuckDB and Polars side by side: a partner's file to validated, typed Parquet.

    python3 -m venv .venv && .venv/bin/pip install -r benches/lineitem/requirements.txt
    .venv/bin/python benches/lineitem/bench.py                      # builds a release `sluice` first
    .venv/bin/python benches/lineitem/bench.py --format ndjson --scale 0.1 --sluice target/release/sluice

All three have two threads and take turns, so that a change of the machine's load meets all of them. Prints medians; CPU time is that of the
process, without the start of Python for the peers. Ends with 1 if the three do not accept the same number of rows.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import data

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
THREADS = 2


def measured(command, environment):
    """Runs a command; what it printed, and what the operating system counted."""
    with tempfile.TemporaryFile() as printed:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=printed, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        output = printed.read().decode()
    if process.returncode != 0:
        sys.exit(f"{command} ended with {process.returncode}\n{output}")
    return output, {"user": usage.ru_utime, "system": usage.ru_stime, "wall": wall, "peak": usage.ru_maxrss / 1024}


def run_sluice(binary, pipeline, file, out):
    command = [binary, "check", file, "--pipeline", pipeline, "--threads", str(THREADS), "--json",
               "--parquet", out / "accepted.parquet", "--rejected", out / "rejected"]
    output, found = measured([str(c) for c in command], os.environ)
    found["accepted"] = json.loads(output)["tally"]["totals"]["accepted"]
    return found


def run_peer(peer, kind, file, out):
    environment = os.environ | {"POLARS_MAX_THREADS": str(THREADS)}
    output, found = measured([sys.executable, str(HERE / "peers.py"), peer, kind, str(file), str(out)], environment)
    own = json.loads(output.splitlines()[-1])
    found |= {"accepted": own["accepted"], "user": own["user"], "system": own["system"], "peak": own["peak"] / 1024}
    return found


def pipeline_for(kind, folder):
    """The pipeline of a format, beside its contract."""
    shutil.copy(HERE / "lineitem.odcs.yaml", folder)
    text = (HERE / "lineitem.pipeline.yaml").read_text()
    path = folder / "lineitem.pipeline.yaml"
    path.write_text(text.replace("format: csv", f"format: {kind}"))
    return path


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--scale", default="1", help="scale of TPC-H; 1 is 6 million rows [1]")
    arguments.add_argument("--format", default="csv", choices=["csv", "ndjson", "parquet"])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--sluice", help="the release binary; built if it is not given")
    arguments.add_argument("--only", default="sluice,duckdb,polars", help="who takes part; of NDJSON Polars reads only files without damaged lines")
    arguments.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "lineitem", help="folder for data and outputs")
    given = arguments.parse_args()
    sluice = given.sluice
    if sluice is None and "sluice" in given.only:
        subprocess.run(["cargo", "build", "--release", "-p", "sluice-cli"], cwd=ROOT, check=True)
        sluice = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "sluice"
    file = data.build(given.work, given.scale, given.format)
    folder = given.work / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pipeline = pipeline_for(given.format, folder)
    who = given.only.split(",")
    if given.format == "ndjson" and "polars" in who:
        print("Polars does not take part: its reader ends at a line that is no JSON, also where it is told to ignore errors")
        who.remove("polars")
    runs = {name: [] for name in who}
    for _ in range(given.rounds):
        for name in who:
            out = folder / name
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            found = run_sluice(sluice, pipeline, file, out) if name == "sluice" else run_peer(name, given.format, file, out)
            found["size"] = (out / "accepted.parquet").stat().st_size / 2**20
            runs[name].append(found)
    show(given, file, runs)


def show(given, file, runs):
    print(f"{file.name}, scale {given.scale}, {file.stat().st_size / 2**20:.0f} MiB, {THREADS} threads, median of {given.rounds}")
    columns = {"user": "user CPU s", "system": "system CPU s", "wall": "wall s", "peak": "peak MiB", "size": "Parquet MiB"}
    medians = {name: {c: statistics.median(r[c] for r in found) for c in columns} for name, found in runs.items()}
    print(f"{'':<10}" + "".join(f"{title:>14}" for title in columns.values()) + f"{'accepted':>12}")
    for name, median in medians.items():
        accepted = sorted({r["accepted"] for r in runs[name]})
        print(f"{name:<10}" + "".join(f"{median[c]:>14.2f}" for c in columns) + f"{'/'.join(map(str, accepted)):>12}")
    for name in [n for n in medians if n != "sluice" and "sluice" in medians]:
        ratios = "".join(f"{medians['sluice'][c] / medians[name][c]:>13.2f}x" for c in columns)
        print(f"{'/ ' + name:<10}{ratios}")
    accepted = {r["accepted"] for found in runs.values() for r in found}
    if len(accepted) != 1:
        sys.exit(f"not the same rows are accepted: {accepted}")


if __name__ == "__main__":
    main()
