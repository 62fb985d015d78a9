#!/usr/bin/env python3
"""Load on a running local stack: many small files, or one large one, until every run has ended.

    ./sluice up                                   # in another terminal
    python3 benches/load.py files --count 10000   # 1 KB each
    python3 benches/load.py large --gigabytes 2

Prints how long it took, how the runs ended, whether every row is accounted for, and the handler's peak memory as the
operating system counts it (VmHWM). Needs only Python 3.9 and Linux.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Stack:
    def __init__(self, state):
        self.facts = json.loads((pathlib.Path(state) / "connection.json").read_text())
        principals = json.loads((pathlib.Path(state) / "principals.json").read_text())
        self.credentials = {p["name"]: (p["clientId"], p["clientSecret"]) for p in principals}
        self.tokens = {}

    def token(self, who):
        token, until = self.tokens.get(who, (None, 0))
        if time.time() > until:
            discovery = json.load(urllib.request.urlopen(self.facts["issuer"].rstrip("/") + "/.well-known/openid-configuration"))
            name, secret = self.credentials[who]
            form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": name, "client_secret": secret,
                                           "scope": self.facts["audience"] + "/.default"}).encode()
            answer = json.load(urllib.request.urlopen(discovery["token_endpoint"], form))
            token, until = answer["access_token"], time.time() + answer["expires_in"] - 60
            self.tokens[who] = (token, until)
        return token

    def api(self, who, route, body=None):
        request = urllib.request.Request(f"{self.facts['api'].rstrip('/')}/{route}", None if body is None else json.dumps(body).encode())
        request.add_header("Authorization", "Bearer " + self.token(who))
        if body is not None:
            request.add_header("Content-Type", "application/json")
        return json.load(urllib.request.urlopen(request, timeout=120))

    def grant(self, partner):
        asked = {"grant": {"kind": "container"}, "validSeconds": 86400}
        return self.api(partner, "submissions", asked)["url"]

    def handler(self):
        return json.load(urllib.request.urlopen(urllib.parse.urljoin(self.facts["host"], "devhost/handler")))

    def peak(self):
        status = pathlib.Path(f"/proc/{self.handler()['pid']}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024

    def queues(self):
        return json.load(urllib.request.urlopen(urllib.parse.urljoin(self.facts["host"], "devhost/queues")))


def put(container, path, body, query="", headers=()):
    base, sas = container.split("?", 1)
    request = urllib.request.Request(f"{base}/{path}?{query}{sas}", body, method="PUT")
    request.add_header("x-ms-version", "2023-11-03")
    for name, value in headers:
        request.add_header(name, value)
    urllib.request.urlopen(request, timeout=120).read()


def clean_rows():
    lines = (ROOT / "samples/flights/flights-2013-01.csv").read_text().splitlines(keepends=True)
    rows = []
    for line in lines[1:]:
        field = line.rstrip("\n").split(",")
        if "NA" in (field[3], field[6], field[8], field[14]) or float(field[8]) > 300 or float(field[15]) * 60 / float(field[14]) > 550:
            continue
        rows.append(line)
    return lines[0], rows


def follow(stack, prefix, expected, since):
    """Waits until `expected` runs below the prefix have their receipt or wait for people; gives them."""
    shown = 0
    while True:
        queued = sum(q["active"] + q["locked"] for q in stack.queues())
        if time.time() - shown > 15:
            shown = time.time()
            print(f"{shown - since:7.0f} s  {queued} messages queued, handler peak {stack.peak():.0f} MB", flush=True)
        if queued == 0:
            runs, cursor = [], None
            while True:
                page = stack.api("olga", "runs?limit=200" + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""))
                runs += [r for r in page["items"] if r["path"].startswith(prefix)]
                cursor = page.get("next")
                if not cursor:
                    break
            if len(runs) >= expected and all(r["receipt"] or r["state"] == "reviewing" for r in runs):
                return runs
        time.sleep(2)


def report(stack, runs, since, peak_before):
    states = collections.Counter(r["state"] for r in runs)
    rows = sum(r["counts"]["rows"] for r in runs if r["counts"])
    sums = sum(sum(r["counts"][k] for k in ("published", "corrected", "rejected", "filtered", "duplicate", "held")) for r in runs if r["counts"])
    dead = sum(q["deadLetters"] for q in stack.queues())
    print(f"runs: {dict(states)}; rows {rows}, accounted for {sums}; dead letters {dead}")
    print(f"wall {time.time() - since:.0f} s; handler peak RSS {stack.peak():.0f} MB (before: {peak_before:.0f} MB)")
    if rows != sums or dead:
        raise SystemExit("rows are missing or messages are dead-lettered")


def files(stack, arguments):
    header, rows = clean_rows()
    container = stack.grant("skyline")
    prefix = f"flights/load-{int(time.time())}"
    peak_before, since = stack.peak(), time.time()

    def one(n):
        start = (n * 7) % (len(rows) - 10)
        put(container, f"{prefix}-{n:05}.csv", (header + "".join(rows[start:start + 9])).encode(), headers=[("x-ms-blob-type", "BlockBlob")])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(arguments.count)))
    print(f"{arguments.count} files of about 1 KB uploaded in {time.time() - since:.0f} s")
    report(stack, follow(stack, prefix, arguments.count, since), since, peak_before)


def large(stack, arguments):
    header, rows = clean_rows()
    container = stack.grant("skyline")
    path = f"flights/large-{int(time.time())}.csv"
    peak_before, since = stack.peak(), time.time()
    wanted, written, blocks, flight = int(arguments.gigabytes * 1e9), 0, [], 0
    pending = bytearray(header.encode())
    # Every copy of the month gets years and days of its own, so that no primary key repeats.
    copies = [(year, month) for year in range(1987, 2101) for month in range(1, 13)]
    for year, month in copies:
        for line in rows:
            field = line.split(",", 2)
            pending += f"{year},{month},{field[2]}".encode()
        while len(pending) >= 8 << 20 or (written + len(pending) >= wanted and pending):
            block, pending = bytes(pending[:8 << 20]), pending[8 << 20:]
            name = f"block{len(blocks):07}"
            put(container, path, block, query=f"comp=block&blockid={name}&")
            blocks.append(name)
            written += len(block)
        if written >= wanted:
            break
    listed = '<?xml version="1.0" encoding="utf-8"?><BlockList>' + "".join(f"<Latest>{b}</Latest>" for b in blocks) + "</BlockList>"
    put(container, path, listed.encode(), query="comp=blocklist&")
    print(f"{written / 1e9:.2f} GB uploaded in {time.time() - since:.0f} s")
    report(stack, follow(stack, path, 1, since), since, peak_before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state-dir", default=ROOT / ".sluice")
    kinds = parser.add_subparsers(required=True)
    many = kinds.add_parser("files")
    many.add_argument("--count", type=int, default=10_000)
    many.set_defaults(run=files)
    one = kinds.add_parser("large")
    one.add_argument("--gigabytes", type=float, default=2.0)
    one.set_defaults(run=large)
    arguments = parser.parse_args()
    arguments.run(Stack(arguments.state_dir), arguments)


if __name__ == "__main__":
    main()
