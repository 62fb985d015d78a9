"""Other readers against the curated tables: delta-rs reads the table, DuckDB reads the partner's file, and both see the same values."""

import json
import tempfile
import pathlib

import duckdb
from azure.storage.blob import ContainerClient
from deltalake import DeltaTable

from stack import ROOT, run

# Microsoft's published key of every storage emulator.
EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
# The contract's columns but for tailnum, which the pipeline masks.
COLUMNS = """year, month, day, dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time, arr_delay, carrier, flight, origin, dest,
    air_time, distance, hour, minute, time_hour"""


def download(stack, table, folder):
    """All blobs of a table, as they are."""
    connection = json.loads((pathlib.Path(stack.state) / "connection.json").read_text())
    curated = ContainerClient(connection["blob"], "curated", credential={"account_name": "devstoreaccount1", "account_key": EMULATOR_KEY})
    for blob in curated.list_blobs(name_starts_with=f"{table}/"):
        path = folder / blob.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(curated.download_blob(blob.name).readall())
    return DeltaTable(folder / table)


def published(stack, file, path):
    """Uploads a file; a database in which `ours` are the rows that its run published."""
    stack.upload(file, path)
    run_id = stack.expect(path, file)["runId"]
    with tempfile.TemporaryDirectory() as folder:
        rows = download(stack, "flights", pathlib.Path(folder)).to_pyarrow_table()
    database = duckdb.connect()
    database.register("published", rows)
    database.execute(f"CREATE VIEW ours AS SELECT * FROM published WHERE _sluice_run = '{run_id}'")
    return database


def same_values(stack, file):
    """Every value of the file is in the table, and nothing else."""
    database = published(stack, file, "flights/values.csv")
    database.execute(f"CREATE VIEW theirs AS SELECT * FROM read_csv('{file}', nullstr = 'NA', types = {{'time_hour': 'TIMESTAMPTZ'}})")
    count = lambda query: database.execute(query).fetchone()[0]
    assert count("SELECT count(*) FROM ours") == count("SELECT count(*) FROM theirs") > 20_000
    for left, right in (("ours", "theirs"), ("theirs", "ours")):
        more = database.execute(f"SELECT {COLUMNS} FROM {left} EXCEPT ALL SELECT {COLUMNS} FROM {right} LIMIT 3").fetchall()
        assert not more, f"only in {left}: {more}"


def same_derived_values(stack, file):
    """Derived, looked-up and masked columns are what the pipeline says."""
    database = published(stack, file, "flights/derived.csv")
    reference = ROOT / "samples/flights/reference"
    wrong = database.execute(f"""
        SELECT count(*) FROM ours p
        LEFT JOIN read_csv('{reference}/airlines.csv', all_varchar = true) l ON p.carrier = l.carrier
        LEFT JOIN read_csv('{reference}/airports.csv', all_varchar = true) a ON p.dest = a.faa
        WHERE p.minutes_gained IS DISTINCT FROM p.dep_delay - p.arr_delay OR p.cancelled IS DISTINCT FROM (dep_time IS NULL)
          OR p.carrier_name IS DISTINCT FROM l.name OR p.dest_name IS DISTINCT FROM a.name OR p.tailnum NOT SIMILAR TO '[0-9a-f]{{64}}'""").fetchone()[0]
    assert wrong == 0, f"{wrong} rows have other values"


TESTS = [same_values, same_derived_values]
