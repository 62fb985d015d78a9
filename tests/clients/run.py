"""Software of others against a local Sluice: partners' clients upload (uploads.py), other readers read what was published (tables.py).

    ./sluice help up > /dev/null                             # builds the command; the tests start a stack of their own
    python -m pip install -r tests/clients/requirements.txt
    python tests/clients/run.py                              # needs curl and rclone, too
    python tests/clients/run.py rclone                       # only tests with this in their name
"""

import os
import pathlib
import shutil
import sys
import tempfile
import traceback

import tables
import uploads
from stack import ROOT, Stack, plain_rows


def main():
    tests = uploads.TESTS + tables.TESTS
    wanted = [test for test in tests if not sys.argv[1:] or any(word in test.__name__ for word in sys.argv[1:])]
    # The tools that were installed beside this Python come first.
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    missing = [tool for tool in ("az", "curl", "rclone") if not shutil.which(tool)]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}")
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "flights.csv"
        plain_rows(ROOT / "samples/flights/flights-2013-01.csv", file)
        stack = Stack(folder)
        try:
            stack.wait()
            for test in wanted:
                try:
                    test(stack, file)
                    print(f"test {test.__name__} ... ok", flush=True)
                except Exception:
                    failed.append(test.__name__)
                    print(f"test {test.__name__} ... FAILED\n{traceback.format_exc()}", flush=True)
        finally:
            stack.stop()
    print(f"{len(wanted) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
