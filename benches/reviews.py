#!/usr/bin/env python3
"""How fast the review queue answers: p50, p95 and p99 of the list and of one case, with many open cases.

    SLUICE_CALLER_BURST=1000000 ./sluice up --fresh --state-dir .bench        # in another terminal; one caller asks faster than it usually may
    python3 benches/reviews.py --state-dir .bench

Puts runs, audit events and open cases into the local Cosmos DB emulator as the handler would have stored them (20 cases a run, unless
--cases-a-run says otherwise: with 1, there are 10,000 runs to sum up), then asks the
API as a reviewer, one request after the other. The cases cannot be decided, since there are no held rows behind them: use a state folder of
its own. Needs only Python 3.9.
"""
import argparse
import concurrent.futures
import hashlib
import http.client
import json
import random
import statistics
import time
import urllib.parse

from load import Stack

PARTNERS = ["skyline", "northwind", "acme", "globex"]
CAUSES = [("long-delay", None), ("R0001", None), ("unknown-airport", "dest"), ("odd-hour", None)]


def documents(cases, cases_a_run):
    """The documents of each run's partition."""
    rng = random.Random(7)
    for number in range(cases // cases_a_run):
        submission = "s-" + hashlib.sha256(str(number).encode()).hexdigest()[:25]
        run_id, partner = submission + "-1", PARTNERS[number % len(PARTNERS)]
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - rng.randrange(10 * 86400)))
        path = f"files/{number:06}.csv"
        run = {
            "run_id": run_id, "submission": submission, "attempt": 1, "partner": partner, "pipeline": "flights", "path": path,
            "pinned": None, "source": {"blob": {"container": "landing-" + partner, "path": path}, "etag": "\"1\"", "size": 1 << 20,
                                       "declared": {}},
            "state": "reviewing", "created_at": at, "updated_at": at, "segments": 1, "segment_bytes": 1 << 26, "piece_bytes": 1 << 22,
            "splitting": "records", "content": None, "chunks": 1, "header": [f"column_{n}" for n in range(19)], "generation": 0,
            "counts": {"rows": 10000, "published": 9900, "corrected": 0, "rejected": 50, "filtered": 0, "duplicate": 0, "held": 50},
            "open_cases": cases_a_run, "cases": cases_a_run, "table_version": None, "failure": None, "receipt": False,
            "audit": {"seq": 5, "hash": "0" * 64},
        }
        yield run_id, "run", "run", run
        for seq in range(6):
            yield run_id, f"audit:{seq:08}", "audit", {"seq": seq, "at": at, "actor": {"type": "step", "name": "move"}, "action": "run.moved",
                                                       "detail": {"segments": 1}, "previous": "0" * 64, "hash": "0" * 64}
        for n in range(cases_a_run):
            cause, column = rng.choice(CAUSES)
            due = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + rng.randrange(-86400, 10 * 86400)))
            yield run_id, f"case:{n:06}", "case", {
                "case_id": f"{run_id}.{n}", "run": run_id, "number": n, "partner": partner, "pipeline": "flights", "cause": cause,
                "column": column, "title": "arrived over 720 min late", "rows": rng.randrange(1, 1000), "digest": "0" * 64, "status": "open",
                "approvers": 1, "claimed_by": None, "due_at": due, "created_at": at, "decisions": [],
            }


class Seeder:
    """Writes documents, one connection a thread."""

    def __init__(self, cosmos):
        self.address = urllib.parse.urlsplit(cosmos).netloc

    def write(self, batch):
        connection = http.client.HTTPConnection(self.address)
        for run_id, id, kind, body in batch:
            key = "run:" + run_id
            headers = {"x-ms-documentdb-partitionkey": json.dumps([key]), "x-ms-documentdb-is-upsert": "true",
                       "content-type": "application/json", "prefer": "return=minimal"}
            connection.request("POST", "/dbs/sluice/colls/catalog/docs", json.dumps({**body, "id": id, "pk": key, "kind": kind}), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status not in (200, 201):
                raise SystemExit(f"the emulator refused {id}: {answer.status} {text[:300]}")


def measure(stack, name, routes):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(stack.facts["api"]).netloc)
    prefix = urllib.parse.urlsplit(stack.facts["api"]).path.rstrip("/")
    headers = {"Authorization": "Bearer " + stack.token("rita")}
    times = []
    for route in routes:
        begun = time.perf_counter()
        connection.request("GET", f"{prefix}/{route}", headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        times.append((time.perf_counter() - begun) * 1000)
        if answer.status != 200:
            raise SystemExit(f"GET {route}: {answer.status} {text[:300]}")
    cut = statistics.quantiles(times, n=100)
    print(f"{name:32} n={len(times):5}  p50 {cut[49]:7.1f} ms  p95 {cut[94]:7.1f} ms  p99 {cut[98]:7.1f} ms")
    return cut[94]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state-dir", default=".sluice")
    parser.add_argument("--cosmos", help="address of the emulator [default: two ports after the host's]")
    parser.add_argument("--cases", type=int, default=10000)
    parser.add_argument("--cases-a-run", type=int, default=20)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seeded", action="store_true", help="the cases are there already")
    parser.add_argument("--most", type=float, default=100, help="fail if a p95 is over this many ms")
    arguments = parser.parse_args()
    stack = Stack(arguments.state_dir)
    host = urllib.parse.urlsplit(stack.facts["host"])
    seeder = Seeder(arguments.cosmos or f"http://{host.hostname}:{host.port + 2}")
    found = list(documents(arguments.cases, arguments.cases_a_run))
    if not arguments.seeded:
        begun = time.time()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(seeder.write, [found[at:at + 500] for at in range(0, len(found), 500)]))
        print(f"{arguments.cases} open cases and {len(found) - arguments.cases} other documents in {time.time() - begun:.0f} s")
    cases = [body["case_id"] for _, _, kind, body in found if kind == "case"]
    rng = random.Random(1)
    n = arguments.requests
    first = stack.api("rita", "reviews")
    deeper = urllib.parse.quote(first["next"])
    p95 = [
        measure(stack, "GET /reviews", ["reviews"] * n),
        measure(stack, "GET /reviews?limit=200", ["reviews?limit=200"] * n),
        measure(stack, "GET /reviews, second page", [f"reviews?cursor={deeper}"] * n),
        measure(stack, "GET /reviews, filtered", [f"reviews?partner={rng.choice(PARTNERS)}&cause=long-delay" for _ in range(n)]),
        measure(stack, "GET /reviews?overdue=true", ["reviews?overdue=true"] * n),
        measure(stack, "GET /reviews?text=", [f"reviews?text={rng.choice(['LATE', 'airport', 'globex', cases[7][:9]])}" for _ in range(n)]),
        measure(stack, "GET /reviews/{case}", [f"reviews/{rng.choice(cases)}" for _ in range(n)]),
    ]
    begun = time.perf_counter()
    stack.api("rita", "summary")
    print(f"GET /summary, made: {(time.perf_counter() - begun) * 1000:.1f} ms")
    p95.append(measure(stack, "GET /summary, kept", ["summary"] * n))
    if max(p95) > arguments.most:
        raise SystemExit(f"p95 {max(p95):.0f} ms is over {arguments.most:.0f} ms")


if __name__ == "__main__":
    main()
