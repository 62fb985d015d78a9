"""The data: TPC-H lineitem in three formats, one row in a thousand damaged in six ways, the same on every run."""
import json
import pathlib
import subprocess
import sys

import duckdb

EVERY = 1000
COLUMNS = {
    "l_orderkey": "BIGINT", "l_partkey": "BIGINT", "l_suppkey": "BIGINT", "l_linenumber": "INTEGER",
    "l_quantity": "DECIMAL(15,2)", "l_extendedprice": "DECIMAL(15,2)", "l_discount": "DECIMAL(15,2)", "l_tax": "DECIMAL(15,2)",
    "l_returnflag": "VARCHAR", "l_linestatus": "VARCHAR", "l_shipdate": "DATE", "l_commitdate": "DATE", "l_receiptdate": "DATE",
    "l_shipinstruct": "VARCHAR", "l_shipmode": "VARCHAR", "l_comment": "VARCHAR",
}
NAMES = list(COLUMNS)


def build(work: pathlib.Path, scale: str, kind: str) -> pathlib.Path:
    """The damaged file, made unless it is there."""
    folder = work / f"scale-{scale}"
    dirty = folder / f"dirty.{kind}"
    if dirty.exists():
        return dirty
    folder.mkdir(parents=True, exist_ok=True)
    clean = folder / "lineitem.csv"
    if not clean.exists():
        tool = pathlib.Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run([tool, "-s", scale, "-T", "lineitem", "-f", "csv", "-o", folder], check=True)
    partial = folder / f"dirty.{kind}.partial"
    {"csv": _csv, "ndjson": _ndjson, "parquet": _parquet}[kind](clean, partial)
    partial.rename(dirty)
    return dirty


def _damage_lines(source, target, damage):
    """Damages the middle row of each thousand; the six ways take turns."""
    with open(source, "rb") as lines, open(target, "wb") as out:
        for row, line in enumerate(lines):
            if row % EVERY == EVERY // 2:
                line = damage(line, row // EVERY % 6)
            out.write(line)


def _csv(clean, target):
    def damage(line, way):
        fields = line.rstrip(b"\n").split(b",", 15)
        if way == 0:
            fields[5] = b"many"
        elif way == 1:
            fields[10] = fields[10][:5] + b"02-30"
        elif way == 2:
            fields[6] = b"0.50"
        elif way == 3:
            fields[8] = b"X"
        elif way == 4:
            fields[0] = b""
        else:
            fields = fields[:9]
        return b",".join(fields) + b"\n"

    # The header is row 0 here, and is not damaged.
    _damage_lines(clean, target, damage)


def _ndjson(clean, target):
    whole = target.with_suffix(".whole")
    _session().execute(f"COPY ({_typed(clean)}) TO '{whole}' (FORMAT json)")

    def damage(line, way):
        if way == 5:
            return line[: len(line) // 2] + b"\n"
        row = json.loads(line)
        key, value = [("l_extendedprice", "many"), ("l_shipdate", row["l_shipdate"][:5] + "02-30"), ("l_discount", 0.5),
                      ("l_returnflag", "X"), ("l_orderkey", None)][way]
        row[key] = value
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"

    _damage_lines(whole, target, damage)
    whole.unlink()


def _parquet(clean, target):
    # A typed file cannot hold a word in a decimal: other values take the place of what it cannot hold.
    ways = {"l_quantity": (0, "0"), "l_receiptdate": (1, "l_shipdate - 1"), "l_discount": (2, "0.5"), "l_returnflag": (3, "'X'"),
            "l_orderkey": (4, "NULL"), "l_tax": (5, "0.09")}
    middle = f"row % {EVERY} = {EVERY // 2}"
    columns = [f"CASE WHEN {middle} AND row // {EVERY} % 6 = {ways[c][0]} THEN {ways[c][1]} ELSE {c} END::{t} AS {c}" if c in ways else c
               for c, t in COLUMNS.items()]
    numbered = f"SELECT *, row_number() OVER () - 1 AS row FROM ({_typed(clean)})"
    _session().execute(f"COPY (SELECT {', '.join(columns)} FROM ({numbered})) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def _typed(clean):
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    return f"SELECT * FROM read_csv('{clean}', header=true, columns={{{types}}})"


def _session():
    session = duckdb.connect()
    session.execute("SET threads = 2; SET preserve_insertion_order = true")
    return session
