"""Schemathesis against a local Sluice: what docs/api/openapi.json says holds, for each role that may write.

    python -m pip install -r tests/api/requirements.txt
    python tests/api/run.py            # builds the command if need be; starts a stack of its own
    python tests/api/run.py reviewer   # one role
"""

import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path += [str(HERE.parent / "clients"), str(ROOT / "benches")]

import load  # noqa: E402
from stack import PATIENCE_SECONDS, Stack  # noqa: E402

# The local issuer's people. An operator comes last: it cancels runs.
PEOPLE = {"partner": "skyline", "reviewer": "rita", "engineer": "emil", "operator": "olga"}
# An engineer reads what a reviewer and an operator read.
LEFT_OUT = {"engineer": ["--exclude-method", "GET"]}
# A fuzzer is faster than the limits of callers.
UNLIMITED = "1000000"


def dictionaries(people):
    """Ids of runs and cases, once rows wait for reviewers, and names of pipelines and tables."""
    started = time.monotonic()
    ask = functools.partial(people.api, PEOPLE["operator"])
    while not (cases := ask("reviews?limit=5")["items"]):
        assert time.monotonic() - started < PATIENCE_SECONDS, "no case is opened"
        time.sleep(0.5)
    runs = ask("runs?limit=20")["items"]
    values = {
        "cases": [case["caseId"] for case in cases],
        "runs": sorted({run["runId"] for run in runs}),
        "names": [pipeline["name"] for pipeline in ask("pipelines")] + [table["name"] for table in ask("tables")],
    }
    return "".join(f"\n[dictionaries.{name}]\nvalues = {json.dumps(ids)}\n" for name, ids in values.items())


def fuzz(people, state, config, role):
    started = time.monotonic()
    command = [pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", config, "run", ROOT / "docs/api/openapi.json"]
    command += ["--url", people.facts["api"], "--header", f"Authorization: Bearer {people.token(PEOPLE[role])}", "--no-color"] + LEFT_OUT.get(role, [])
    environment = {**os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "checks"}
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=environment, cwd=state)
    verdict = "ok" if done.returncode == 0 else f"FAILED\n{done.stdout}{done.stderr}"
    print(f"schemathesis as {role} ({time.monotonic() - started:.0f} s) ... {verdict}", flush=True)
    return done.returncode == 0


def main():
    roles = sys.argv[1:] or list(PEOPLE)
    os.environ["SLUICE_CALLER_BURST"] = os.environ["SLUICE_STRANGER_BURST"] = UNLIMITED
    with tempfile.TemporaryDirectory() as folder:
        state = pathlib.Path(folder)
        stack = Stack(folder)
        try:
            stack.wait()
            people = load.Stack(state)
            # Some of its rows are held back.
            stack.upload(ROOT / "samples/flights/flights-2013-01.csv", "flights/2013-01.csv")
            config = state / "schemathesis.toml"
            config.write_text((HERE / "schemathesis.toml").read_text() + dictionaries(people))
            passed = [fuzz(people, state, config, role) for role in roles]
        finally:
            stack.stop()
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
