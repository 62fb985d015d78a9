"""The same job in DuckDB and Polars, each in a process of its own: `python peers.py duckdb csv FILE OUTPUT-FOLDER`.

Their job is a little easier than Sluice's: a held row is marked in the file of accepted rows instead of being written apart with its reasons,
and only DuckDB's CSV reader says why a row is rejected. Polars has no part in NDJSON: its reader ends at a line that is no JSON. The last line
printed is a JSON object: accepted rows, and the CPU time without the start of Python.
"""
import json
import pathlib
import resource
import sys

from data import COLUMNS

THRESHOLD = 95_000
FLAGS, STATUSES = ["A", "N", "R"], ["F", "O"]
MODES = ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"]


def run_duckdb(kind, file, out):
    import duckdb

    yield
    session = duckdb.connect()
    session.execute("SET threads = 2; SET preserve_insertion_order = true")
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    source = {
        "csv": f"read_csv('{file}', header=true, columns={{{types}}}, auto_detect=false, delim=',', quote='\"', escape='\"', store_rejects=true, rejects_limit=0)",
        "ndjson": f"read_json('{file}', format='newline_delimited', columns={{{types}}}, ignore_errors=true)",
        "parquet": f"read_parquet('{file}')",
    }[kind]
    # What could not be read as its type is null.
    whole = " AND ".join(f"{name} IS NOT NULL" for name in COLUMNS)
    kept = f"""{whole} AND l_quantity BETWEEN 1 AND 50 AND l_discount BETWEEN 0 AND 0.10 AND l_tax BETWEEN 0 AND 0.08
        AND l_returnflag IN {tuple(FLAGS)} AND l_linestatus IN {tuple(STATUSES)} AND l_shipmode IN {tuple(MODES)} AND l_shipdate <= l_receiptdate"""
    rows = f"SELECT *, l_extendedprice * (1 - l_discount) AS revenue FROM {source} WHERE {kept}"
    session.execute(f"COPY (SELECT *, revenue > {THRESHOLD} AS held FROM ({rows})) TO '{out}/accepted.parquet' (FORMAT parquet, COMPRESSION zstd)")
    if kind == "csv":
        session.execute(f"COPY (SELECT * FROM reject_errors) TO '{out}/rejected.csv' (HEADER)")
    yield
    return session.execute(f"SELECT count(*) FROM '{out}/accepted.parquet' WHERE NOT held").fetchone()[0]


def run_polars(kind, file, out):
    import polars as pl

    yield
    kinds = {"BIGINT": pl.Int64, "INTEGER": pl.Int32, "DECIMAL(15,2)": pl.Decimal(15, 2), "VARCHAR": pl.String, "DATE": pl.Date}
    schema = {name: kinds[kind] for name, kind in COLUMNS.items()}
    if kind == "csv":
        rows = pl.scan_csv(file, schema=schema, ignore_errors=True, truncate_ragged_lines=True)
    elif kind == "ndjson":
        sys.exit("Polars reads no NDJSON with lines that are no JSON")
    else:
        rows = pl.scan_parquet(file)
    col = pl.col
    rows = rows.filter(
        *[col(n).is_not_null() for n in COLUMNS],
        col("l_quantity") >= 1, col("l_quantity") <= 50, col("l_discount") >= 0, col("l_discount") <= pl.lit("0.10").cast(pl.Decimal(15, 2)),
        col("l_tax") >= 0, col("l_tax") <= pl.lit("0.08").cast(pl.Decimal(15, 2)), col("l_returnflag").is_in(FLAGS), col("l_linestatus").is_in(STATUSES),
        col("l_shipmode").is_in(MODES), col("l_shipdate") <= col("l_receiptdate"),
    )
    rows = rows.with_columns(revenue=col("l_extendedprice") * (1 - col("l_discount")))
    rows = rows.with_columns(held=col("revenue") > THRESHOLD)
    rows.sink_parquet(f"{out}/accepted.parquet", compression="zstd")
    yield
    return pl.scan_parquet(f"{out}/accepted.parquet").filter(~col("held")).select(pl.len()).collect().item()


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime, usage.ru_stime


def main():
    peer, kind, file, out = sys.argv[1:]
    job = {"duckdb": run_duckdb, "polars": run_polars}[peer](kind, file, pathlib.Path(out))
    next(job)
    before = used()
    next(job)
    after = used()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        next(job)
    except StopIteration as end:
        print(json.dumps({"accepted": end.value, "user": after[0] - before[0], "system": after[1] - before[1], "peak": peak}))


if __name__ == "__main__":
    main()
