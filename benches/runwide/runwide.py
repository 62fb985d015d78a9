#!/usr/bin/env python3
"""Work over a whole run, held against DuckDB: keys that repeat, deduplication, aggregates, and lookups in a table of millions of rows.

    python3 -m venv .venv && .venv/bin/pip install -r benches/lineitem/requirements.txt
    .venv/bin/python benches/runwide/runwide.py --sluice target/release/sluice
    .venv/bin/python benches/runwide/runwide.py --rows 10000000 --only aggregate --sluice target/release/sluice

Each case goes through `sluice check`; DuckDB answers the same question on the same file, and every count and every row must be the same. Ends
with 1 if not. Prints time, CPU time and peak memory.
"""
import argparse
import json
import os
import pathlib
import shutil
import sys

import duckdb

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.append(str(HERE.parent / "lineitem"))
from bench import measured  # noqa: E402

# `n` is the number of the row, so that DuckDB can say which of several comes first.
COLUMNS = {"n": "BIGINT", "id": "BIGINT", "mail": "VARCHAR", "customer": "VARCHAR", "day": "DATE", "amount": "DECIMAL(12,2)", "code": "VARCHAR"}
CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: runwide
version: 1.0.0
status: active
schema:
  - name: runwide
    properties:
      - {{ name: n, logicalType: integer, physicalType: bigint }}
      - {{ name: id, logicalType: integer, physicalType: bigint{id} }}
      - {{ name: mail, logicalType: string{mail} }}
      - {{ name: customer, logicalType: string }}
      - {{ name: day, logicalType: date }}
      - {{ name: amount, logicalType: number, physicalType: "decimal(12,2)" }}
      - {{ name: code, logicalType: string }}
    quality:
      - {{ name: repeated customers and days, metric: duplicateValues, arguments: {{ properties: [customer, day] }}, mustBeGreaterOrEqualTo: 0 }}
"""
PIPELINE = """apiVersion: sluice/v1
kind: Pipeline
name: runwide
contract: runwide.odcs.yaml
intake: {{ partner: bench, path: "**", format: csv }}
limits: {{ rejectedPercent: 100 }}
tasks:
{tasks}
publish: {{ table: runwide }}
"""


class Case:
    """One question: what is put into contract and pipeline, and how DuckDB answers it over `rows`, the valid rows."""

    def __init__(self, tasks, outcomes, accepted, id="", mail=""):
        self.tasks, self.outcomes, self.accepted, self.id, self.mail = tasks, outcomes, accepted, id, mail


# The first of several rows stays, whatever becomes of it by another key.
REPEATS = """repeats AS (SELECT *, row_number() OVER (PARTITION BY id ORDER BY n) > 1 AS same_id,
    mail IS NOT NULL AND row_number() OVER (PARTITION BY mail ORDER BY n) > 1 AS same_mail,
    row_number() OVER (PARTITION BY customer, day ORDER BY n) > 1 AS same_customer FROM rows)"""

CASES = {
    "keys": Case(
        "  - deduplicate: { by: [customer, day] }",
        f"""WITH {REPEATS} SELECT count(*) FILTER (same_id OR same_mail), count(*) FILTER (NOT same_id AND NOT same_mail AND same_customer),
            count(*) FILTER (NOT same_id AND NOT same_mail AND NOT same_customer) FROM repeats""",
        f"WITH {REPEATS} SELECT n AS _sluice_row, id, mail, customer, day, amount FROM repeats WHERE NOT same_id AND NOT same_mail AND NOT same_customer",
        id=", primaryKey: true, primaryKeyPosition: 1", mail=", unique: true"),
    "aggregate": Case(
        """  - aggregate: { by: [customer], take: { orders: "count(*)", total: "sum(amount)", first_day: "min(day)", days: "count(distinct day)" } }""",
        "SELECT 0, 0, count(*) FROM rows",
        """SELECT customer, count(*)::BIGINT AS orders, sum(amount) AS total, min(day) AS first_day, count(DISTINCT day)::BIGINT AS days
            FROM rows GROUP BY customer"""),
    "lookup": Case(
        "  - lookup: { table: codes, on: { code: code }, take: { title: title, owner: owner }, missing: reject }",
        "SELECT count(*) FILTER (code IS NOT NULL AND title IS NULL), 0, count(*) FILTER (code IS NULL OR title IS NOT NULL) FROM rows LEFT JOIN codes USING (code)",
        "SELECT n AS _sluice_row, code, title, owner FROM rows LEFT JOIN codes USING (code) WHERE code IS NULL OR title IS NOT NULL"),
}


def build(folder, rows, codes):
    """The data, the same on every run: a file of orders, and a reference table with a code for all but one in a hundred."""
    file, table = folder / f"orders-{rows}.csv", folder / f"codes-{codes}.csv"
    session = duckdb.connect()
    # A hash of the row's number stands for chance. Of the keys about one in fifty repeats an earlier one, of customer and day one in three.
    if not file.exists():
        session.execute(f"""COPY (SELECT n,
            CASE WHEN hash(n) % 50 = 0 THEN hash(n + 1) % (n + 1) ELSE n END AS id,
            CASE hash(n + 2) % 10 WHEN 0 THEN NULL ELSE 'person-' || CASE WHEN hash(n + 3) % 50 = 0 THEN hash(n + 4) % (n + 1) ELSE n END || '@example.org' END AS mail,
            'customer ' || hash(n + 5) % ({rows} // 2) AS customer, DATE '2024-01-01' + (hash(n + 6) % 2)::INTEGER AS day,
            CASE WHEN hash(n + 7) % 1000 = 0 THEN 'many' ELSE ((hash(n + 8) % 10000000)::DECIMAL(12,2) / 100)::DECIMAL(12,2)::VARCHAR END AS amount,
            CASE WHEN hash(n + 9) % 100 = 0 THEN NULL ELSE 'code-' || hash(n + 10) % ({codes} * 100 // 99) END AS code
            FROM range({rows}) AS numbers(n)) TO '{file}.partial' (HEADER)""")
        pathlib.Path(f"{file}.partial").rename(file)
    if not table.exists():
        session.execute(f"""COPY (SELECT 'code-' || n AS code, 'title of code number ' || n AS title, 'owner ' || n % 1000 AS owner
            FROM range({codes}) AS numbers(n)) TO '{table}.partial' (HEADER)""")
        pathlib.Path(f"{table}.partial").rename(table)
    return file, table


def run_sluice(given, case, file, table, folder):
    (folder / "runwide.odcs.yaml").write_text(CONTRACT.format(id=case.id, mail=case.mail))
    (folder / "runwide.pipeline.yaml").write_text(PIPELINE.format(tasks=case.tasks))
    tables = ["--table", f"codes={table}"] if "lookup" in case.tasks else []
    command = [given.sluice, "check", file, "--pipeline", folder / "runwide.pipeline.yaml", "--threads", "2", "--json",
               "--parquet", folder / "accepted.parquet", *tables]
    output, found = measured([str(c) for c in command], os.environ | {"TMPDIR": str(folder)})
    report = json.loads(output)
    totals = report["tally"]["totals"]
    found["repeated"] = report["quality"][0]["value"]
    return (totals["rejected"], totals["duplicate"], totals["accepted"]), totals["rows"], found


def compare(case, counts, count, repeated, file, table, folder):
    """What differs between Sluice's answer and DuckDB's, in words."""
    session = duckdb.connect(config={"memory_limit": "8GB", "threads": 2, "temp_directory": str(folder / "duckdb")})
    types = ", ".join(f"'{name}': '{'VARCHAR' if name == 'amount' else kind}'" for name, kind in COLUMNS.items())
    session.execute(f"CREATE VIEW file AS SELECT * FROM read_csv('{file}', header=true, columns={{{types}}}, nullstr='')")
    session.execute("CREATE VIEW rows AS SELECT * REPLACE (amount::DECIMAL(12,2) AS amount) FROM file WHERE amount <> 'many'")
    session.execute(f"CREATE VIEW codes AS SELECT * FROM read_csv('{table}', header=true, all_varchar=true)")
    one = lambda sql: session.execute(sql).fetchone()
    wrong = []
    rows, bad = one("SELECT count(*), count(*) FILTER (amount = 'many') FROM file")
    rejected, duplicate, accepted = one(case.outcomes)
    if (rejected + bad, duplicate, accepted) != counts or rows != count:
        wrong.append(f"rejected, duplicate and accepted of {rows} are {rejected + bad}, {duplicate}, {accepted}; Sluice says {counts} of {count}")
    (quality,) = one(f"WITH {REPEATS} SELECT count(*) FILTER (same_customer) FROM repeats")
    # Only rows that came through the tasks have keys.
    if "lookup" not in case.tasks and quality != repeated:
        wrong.append(f"{quality} rows repeat a customer and day; Sluice says {repeated}")
    session.execute(f"CREATE TABLE expected AS {case.accepted}")
    columns = ", ".join(name for name, *_ in session.execute("DESCRIBE expected").fetchall())
    found = f"SELECT {columns} FROM '{folder}/accepted.parquet'"
    for name, sql in [("missing", f"FROM expected EXCEPT ALL {found}"), ("not expected", f"{found} EXCEPT ALL FROM expected")]:
        (differing,) = one(f"SELECT count(*) FROM ({sql})")
        if differing:
            wrong.append(f"{differing} rows are {name}, such as {one(f'SELECT * FROM ({sql})')}")
    return wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--sluice", required=True, help="the binary")
    arguments.add_argument("--rows", type=int, default=3_000_000)
    arguments.add_argument("--codes", type=int, default=2_000_000, help="rows of the reference table")
    arguments.add_argument("--only", default=",".join(CASES), help="cases")
    arguments.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "runwide", help="folder for data and outputs")
    given = arguments.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    file, table = build(given.work, given.rows, given.codes)
    print(f"{given.rows} rows, {file.stat().st_size / 2**20:.0f} MiB; {given.codes} codes, {table.stat().st_size / 2**20:.0f} MiB")
    print(f"{'':<12}{'wall s':>10}{'user s':>10}{'peak MiB':>10}{'rejected':>12}{'duplicate':>12}{'accepted':>12}")
    failed = False
    for name in given.only.split(","):
        folder = given.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        counts, count, found = run_sluice(given, CASES[name], file, table, folder)
        numbers = "".join(f"{found[c]:>10.2f}" for c in ["wall", "user", "peak"]) + "".join(f"{c:>12}" for c in counts)
        wrong = compare(CASES[name], counts, count, found["repeated"], file, table, folder)
        print(f"{name:<12}{numbers}  {'as DuckDB' if not wrong else 'NOT as DuckDB'}", flush=True)
        for what in wrong:
            print(f"    {what}")
        failed |= bool(wrong)
        shutil.rmtree(folder)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
