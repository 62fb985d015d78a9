"""A local Sluice with a state of its own, driven by its command."""

import json
import os
import pathlib
import signal
import subprocess
import time

import blake3

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLUICE = ROOT / "sluice"
CONTAINER = "landing-skyline"
# Far beyond what is usual on a slow, busy machine.
PATIENCE_SECONDS = 240


def run(*command, **options):
    """Runs a client; its words are shown only if it fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=PATIENCE_SECONDS, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Stack:
    """A local Sluice with a state of its own."""

    def __init__(self, state):
        self.state = state
        self.log = pathlib.Path(state) / "up.log"
        self.process = subprocess.Popen(
            [SLUICE, "up", "--port", "0", "--state-dir", state], stdout=self.log.open("w"), stderr=subprocess.STDOUT, start_new_session=True
        )

    def wait(self):
        """Waits until it is ready; building it may come first."""
        while "ready after" not in self.log.read_text():
            if self.process.poll() is not None:
                raise SystemExit(f"sluice up ended:\n{self.log.read_text()}")
            time.sleep(0.1)

    def stop(self):
        os.kill(self.process.pid, signal.SIGINT)
        self.process.wait(60)

    def sluice(self, *words):
        return run(SLUICE, *words, "--state-dir", self.state)

    def grant(self, *words):
        return self.sluice("grant", *words).strip()

    def upload(self, file, path):
        self.sluice("upload", file, "--to", path)

    def runs(self, path):
        return json.loads(self.sluice("runs", "list", "--json", "--path", path))

    def expect(self, path, file, runs=1):
        """Waits for the runs of a path, holds the receipt of the newest against the file, and gives that run."""
        started = time.monotonic()
        while True:
            found = self.runs(path)
            if found and all(r["receipt"] for r in found):
                break
            assert time.monotonic() - started < PATIENCE_SECONDS, f"{path} is not done: {found}"
            time.sleep(0.2)
        assert len(found) == runs, f"{path} became {len(found)} runs, expected {runs}"
        assert found[0]["state"] == "completed", found[0]
        receipt = json.loads(self.sluice("runs", "receipt", found[0]["runId"]))
        expected = blake3.blake3(file.read_bytes()).hexdigest()
        assert receipt["file"]["blake3"] == expected, f"{path}: receipt {receipt['file']['blake3']}, b3sum {expected}"
        return found[0]


def plain_rows(source, target):
    """Rows that no rule of the sample pipeline holds back or rejects, so that each run completes without people."""
    header, *rows = source.read_text().splitlines(keepends=True)
    kept = [header]
    for row in rows:
        field = row.rstrip("\n").split(",")
        if "NA" in (field[3], field[6], field[8], field[14]) or float(field[8]) > 300 or float(field[15]) * 60 / float(field[14]) > 550:
            continue
        kept.append(row)
    target.write_text("".join(kept))
