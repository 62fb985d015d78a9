#!/usr/bin/env python3
"""Sluice, DuckDB and Polars side by side: a partner's file to validated, typed Parquet.

    python3 -m venv .venv && .venv/bin/pip install -r benches/lineitem/requirements.txt
    .venv/bin/python benches/lineitem/bench.py                      # builds a release `sluice` first
    .venv/bin/python benches/lineitem/bench.py --format ndjson --scale 0.1 --sluice target/release/sluice
    .venv/bin/python benches/lineitem/bench.py --linearity 0.1,1,10 # Sluice alone: what a row costs in files of these scales (10: 8 GB)
    .venv/bin/python benches/lineitem/bench.py --cores              # Sluice alone: what the second core brings

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


def run_sluice(binary, pipeline, file, out, threads=THREADS):
    command = [binary, "check", file, "--pipeline", pipeline, "--threads", str(threads), "--json",
               "--parquet", out / "accepted.parquet", "--rejected", out / "rejected"]
    output, found = measured([str(c) for c in command], os.environ)
    totals = json.loads(output)["tally"]["totals"]
    found |= {"accepted": totals["accepted"], "rows": totals["rows"]}
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


def fresh(folder):
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def alone(given, pipeline, cases):
    """Medians of Sluice over cases (name to file and threads), which take turns."""
    runs = {name: [] for name in cases}
    for _ in range(given.rounds):
        for name, (file, threads) in cases.items():
            runs[name].append(run_sluice(given.sluice, pipeline, file, fresh(given.work / "run" / "sluice"), threads))
    return {name: {c: statistics.median(r[c] for r in found) for c in found[0]} for name, found in runs.items()}


def linearity(given, pipeline):
    """What a row costs at each scale, and in relation to the first scale."""
    scales = given.linearity.split(",")
    medians = alone(given, pipeline, {scale: (data.build(given.work, scale, given.format), THREADS) for scale in scales})
    costs = {scale: {"user": m["user"] / m["rows"] * 1e6, "wall": m["wall"] / m["rows"] * 1e6, "peak": m["peak"]} for scale, m in medians.items()}
    print(f"{given.format}, {THREADS} threads, median of {given.rounds}; in brackets in relation to scale {scales[0]}")
    print(f"{'scale':<8}{'rows':>12}{'user s/M rows':>22}{'wall s/M rows':>22}{'peak MiB':>22}")
    for scale, cost in costs.items():
        cells = "".join(f"{f'{value:.3f} ({value / costs[scales[0]][c]:.2f}x)':>22}" for c, value in cost.items())
        print(f"{scale:<8}{int(medians[scale]['rows']):>12}{cells}")


def cores(given, pipeline):
    """Wall time with one thread over wall time with two."""
    file = data.build(given.work, given.scale, given.format)
    one, two = alone(given, pipeline, {threads: (file, threads) for threads in [1, 2]}).values()
    print(f"{file.name}, scale {given.scale}, median of {given.rounds}: one thread {one['wall']:.2f} s, two {two['wall']:.2f} s: "
          f"{one['wall'] / two['wall']:.2f}x as fast, for {two['user'] / one['user']:.2f}x the user CPU time and {two['peak'] / one['peak']:.2f}x the memory")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--scale", default="1", help="scale of TPC-H; 1 is 6 million rows [1]")
    arguments.add_argument("--format", default="csv", choices=["csv", "ndjson", "parquet"])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--sluice", help="the release binary; built if it is not given")
    arguments.add_argument("--only", default="sluice,duckdb,polars", help="who takes part; of NDJSON Polars reads only files without damaged lines")
    arguments.add_argument("--linearity", metavar="SCALES", help="Sluice alone, at these scales: what a row costs")
    arguments.add_argument("--cores", action="store_true", help="Sluice alone, with one thread and with two")
    arguments.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "lineitem", help="folder for data and outputs")
    given = arguments.parse_args()
    is_alone = given.cores or given.linearity is not None
    if given.sluice is None and (is_alone or "sluice" in given.only):
        subprocess.run(["cargo", "dist", "-p", "sluice-cli"], cwd=ROOT, check=True)
        given.sluice = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "sluice"
    given.work.mkdir(parents=True, exist_ok=True)
    folder = fresh(given.work / "run")
    pipeline = pipeline_for(given.format, folder)
    if given.linearity is not None:
        linearity(given, pipeline)
    if given.cores:
        cores(given, pipeline)
    if is_alone:
        return
    file = data.build(given.work, given.scale, given.format)
    who = given.only.split(",")
    if given.format == "ndjson" and "polars" in who:
        print("Polars does not take part: its reader ends at a line that is no JSON, also where it is told to ignore errors")
        who.remove("polars")
    runs = {name: [] for name in who}
    for _ in range(given.rounds):
        for name in who:
            out = fresh(folder / name)
            found = run_sluice(given.sluice, pipeline, file, out) if name == "sluice" else run_peer(name, given.format, file, out)
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
