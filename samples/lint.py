"""Lints every contract of the samples with the public tools of the Open Data Contract Standard.

    python -m pip install -r samples/requirements.txt
    python samples/lint.py
"""

import json
import sys
from pathlib import Path

import jsonschema
import yaml
from open_data_contract_standard.model import OpenDataContractStandard


def mistakes(path: Path) -> list[str]:
    """What the JSON schema of the standard and its own Python model say against a contract."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    schema = json.loads(OpenDataContractStandard.json_schema())
    validator = jsonschema.validators.validator_for(schema)(schema)
    found = [f"{path}: {error.json_path}: {error.message}" for error in validator.iter_errors(document)]
    try:
        OpenDataContractStandard.from_file(str(path))
    except ValueError as error:
        found.append(f"{path}: {error}")
    return found


def main() -> int:
    contracts = sorted(Path(__file__).parent.glob("*/*.odcs.yaml"))
    if not contracts:
        print("no contracts found", file=sys.stderr)
        return 1
    found = [mistake for path in contracts for mistake in mistakes(path)]
    for mistake in found:
        print(mistake, file=sys.stderr)
    print(f"{len(contracts)} contracts, {len(found)} mistakes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
