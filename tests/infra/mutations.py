"""Breaks a copy of the files in one place at a time, and demands that check.py names what is broken. A check that cannot fail is none.

    python tests/infra/mutations.py
"""

import shutil
import sys
import tempfile
from pathlib import Path

from check import check

# File, what stands there, what shall stand there instead, and a part of the mistake that must be reported.
MUTATIONS = (
    ("infra/modules/identity.bicep", "resource identity", "resource", "cannot be parsed"),
    ("infra/modules/servicebus.bicep", "  'gather'\n", "", "queue: gather is missing"),
    ("infra/modules/servicebus.bicep", "  'gather'\n", "  'gather'\n  'spare'\n", "queue: spare is not wanted"),
    ("functions/Seal/function.json", '"queueName": "seal"', '"queueName": "sealing"', "queue: sealing is missing"),
    ("infra/modules/functions.bicep", "    SLUICE_ISSUER: issuer\n", "", "SLUICE_ISSUER is needed but not set"),
    ("infra/modules/functions.bicep", "    SLUICE_COSMOS_ENDPOINT: cosmosEndpoint\n", "", "SLUICE_COSMOS_ENDPOINT is needed but not set"),
    ("infra/modules/functions.bicep", "    SLUICE_PARTNERS:", "    SLUICE_PARTNER_LIST:", "SLUICE_PARTNERS is neither set"),
    ("infra/modules/functions.bicep", "    SLUICE_PARTNERS:", "    SLUICE_PARTNER_LIST:", "does not read SLUICE_PARTNER_LIST"),
    ("infra/modules/functions.bicep", "    ServiceBus__clientId: identityClientId\n", "", "ServiceBus__clientId is needed"),
    ("infra/README.md", "| `SLUICE_LOG` |", "| log |", "SLUICE_LOG is neither set"),
    ("handlers/app/src/settings.rs", '"SLUICE_CHUNK_MIB"', '"SLUICE_PIECE_MIB"', "SLUICE_PIECE_MIB is neither set"),
    ("infra/modules/storage.bicep", "  'reference'\n", "", "container: reference is missing"),
    ("infra/modules/storage.bicep", "'landing-${partner}'", "'inbox-${partner}'", "landing containers must be named landing-<partner>"),
    ("infra/events.bicep", "containers/landing-'", "containers/raw'", "subjectBeginsWith must be"),
    ("infra/events.bicep", "            'FlushWithClose'\n", "", "operation: FlushWithClose is missing"),
    ("infra/events.bicep", "functionApp, 'Admit')", "functionApp, 'Intake')", "function: Admit is missing"),
    ("infra/main.bicep", "output eventTopic", "output topic", "output for events.bicep:: eventTopic is missing"),
    ("infra/modules/cosmos.bicep", "'/pk'", "'/partition'", "partitionKey must be /pk"),
    ("infra/modules/cosmos.bicep", "  'updated_at'\n", "", "index: updated_at is missing"),
    ("infra/modules/cosmos.bicep", "  'expires_at'\n", "", "index: expires_at is missing"),
    ("infra/modules/cosmos.bicep", "  'cause'\n", "", "index: cause is missing"),
    ("handlers/flow/src/runs.rs", 'order: Some(("created_at", true))', 'order: Some(("started_at", true))', "index: started_at is missing"),
    ("infra/app-roles.json", '"value": "Auditor"', '"value": "Inspector"', "role: Auditor is missing"),
    ("infra/app-roles.json", "2a7b05", "2a7b04", "two roles share an id"),
    ("infra/modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "allowSharedKeyAccess must be false"),
    ("infra/modules/cosmos.bicep", "disableLocalAuth: true\n", "", "disableLocalAuth must be true"),
    ("infra/modules/storage.bicep", "output lakeId string = lake.id", "output lakeId string = lake.listKeys().keys[0].value", "asks for keys"),
    # Names and modules.
    ("infra/modules/eventgrid.bicep", "source: lakeId", "source: storageId", "nothing declares `storageId`"),
    ("infra/modules/eventgrid.bicep", "source: lakeId", "source: topic.id", "nothing uses `lakeId`"),
    ("infra/main.bicep", "    vaultEndpoint: keyVault.outputs.endpoint\n", "", "functions lacks the parameter vaultEndpoint"),
    ("infra/main.bicep", "    lakeSku: lakeSku\n", "    lakeSku: lakeSku\n    sku: lakeSku\n", "storage has no parameter sku"),
    ("infra/main.bicep", "storage.outputs.lakeId", "storage.outputs.lake", "storage has no output lake"),
    ("infra/main.bicep", "'modules/cosmos.bicep'", "'modules/catalog.bicep'", "there is no modules/catalog.bicep"),
    # Properties: of the older libraries and of the newer ones, deep inside, in a loop, under a discriminator.
    ("infra/modules/servicebus.bicep", "lockDuration:", "lockTime:", "there is no property lockTime"),
    ("infra/modules/storage.bicep", "minimumTlsVersion:", "minTlsVersion:", "there is no property minTlsVersion"),
    ("infra/modules/functions.bicep", "instanceMemoryMB:", "instanceMemoryMb:", "there is no property instanceMemoryMb"),
    ("infra/modules/functions.bicep", "name: 'custom'", "name: 'rust'", "'rust' is none of RuntimeName"),
    ("infra/modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS12'", "'TLS12' is none of MinimumTlsVersion"),
    ("infra/modules/cosmos.bicep", "tier: 'Continuous7Days'", "tier: 'Weekly'", "'Weekly' is none of ContinuousTier"),
    ("infra/modules/cosmos.bicep", "includedPaths:", "includePaths:", "there is no property includePaths"),
    ("infra/modules/alerts.bicep", "timeAggregation: 'Maximum'", "aggregation: 'Maximum'", "there is no property aggregation"),
    ("infra/modules/alerts.bicep", "failingPeriods:", "periods:", "there is no property periods"),
    ("infra/events.bicep", "maxEventsPerBatch:", "maxEvents:", "there is no property maxEvents"),
    ("infra/events.bicep", "blobContainerName:", "container:", "there is no property container"),
    ("infra/modules/storage.bicep", "daysAfterModificationGreaterThan:", "days:", "there is no property days"),
)


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "sluice"
        for part in ("functions", "handlers", "infra"):
            shutil.copytree(root / part, copy / part)
        for file, old, new, expected in MUTATIONS:
            path = copy / file
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
            found = check(copy)
            path.write_text(text, encoding="utf-8")
            if old not in text or not any(expected in mistake for mistake in found):
                failed += 1
                print(f"{file}: {old!r} -> {new!r}: expected {expected!r}, found {found}", file=sys.stderr)
        left = check(copy)
    print(f"{len(MUTATIONS) - failed} passed, {failed + len(left)} failed")
    return 1 if failed or left else 0


if __name__ == "__main__":
    sys.exit(main())
