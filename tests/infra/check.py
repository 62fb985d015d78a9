"""Checks that the Bicep files say what the code needs. Nothing is deployed, and no Azure is asked.

    python -m pip install -r tests/infra/requirements.txt
    python tests/infra/check.py
"""

import json
import re
import sys
from pathlib import Path

import bicep
import properties

DEAD_LETTERS = "/$DeadLetterQueue"


def constants(path: Path) -> dict[str, str]:
    """The string constants of a Rust file."""
    return dict(re.findall(r'const (\w+): &str = "([^"]*)";', path.read_text(encoding="utf-8")))


def without_tests(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]


def differ(what: str, wanted: set[str], found: set[str]) -> list[str]:
    return [f"{what}: {n} is missing" for n in sorted(wanted - found)] + [f"{what}: {n} is not wanted" for n in sorted(found - wanted)]


def bindings(root: Path) -> list[tuple[str, dict]]:
    paths = sorted((root / "functions").glob("*/function.json"))
    return [(path.parent.name, binding) for path in paths for binding in json.loads(path.read_text(encoding="utf-8"))["bindings"]]


def queues(root: Path, files: dict) -> list[str]:
    """The queues are those of functions/*/function.json."""
    wanted = {binding["queueName"].removesuffix(DEAD_LETTERS) for _, binding in bindings(root) if binding["type"].startswith("serviceBus")}
    return differ("servicebus.bicep: queue", wanted, set(files["infra/modules/servicebus.bicep"].variable("queueNames")))


def settings(root: Path, files: dict) -> list[str]:
    """What the handler reads is set; what it may do without is set, or stands in the README's table; nothing else is set."""
    app = without_tests(root / "handlers/app/src/settings.rs")
    azure = without_tests(root / "handlers/azure/src/settings.rs")
    telemetry = without_tests(root / "handlers/app/src/telemetry.rs")
    known = set(re.findall(r'"(SLUICE_\w*[A-Z])"', app + azure + telemetry))
    azure_names = constants(root / "handlers/azure/src/settings.rs")
    needed = set(re.findall(r'reader\.parsed\("(SLUICE_\w+)"', app)) | {azure_names[c] for c in re.findall(r"reader\.endpoint\((\w+),", azure)}
    if not {"SLUICE_ISSUER", "SLUICE_BLOB_ENDPOINT"} <= needed:
        return ["settings.rs is not written as this check reads it; it found only " + ", ".join(sorted(needed))]
    [body] = [body for _, kind, body in files["infra/modules/functions.bicep"].resources() if kind == "Microsoft.Web/sites/config"]
    found = set(body["properties"])
    optional = set(re.findall(r"(?m)^\| `(SLUICE_\w+)` \|", (root / "infra/README.md").read_text(encoding="utf-8")))
    mistakes = [f"functions.bicep: {name} is needed but not set" for name in sorted(needed - found)]
    mistakes += [f"{name} is neither set in functions.bicep nor in the table of infra/README.md" for name in sorted(known - found - optional)]
    mistakes += [f"the handler does not read {name}" for name in sorted({n for n in found | optional if n.startswith("SLUICE_")} - known)]
    connections = {binding["connection"] for _, binding in bindings(root) if "connection" in binding}
    for connection in sorted(connections):
        parts = {f"{connection}__{part}" for part in ("fullyQualifiedNamespace", "credential", "clientId")}
        mistakes += [f"functions.bicep: {name} is needed by function.json but not set" for name in sorted(parts - found)]
    return mistakes


def containers(root: Path, files: dict) -> list[str]:
    """The containers are those of the lake, and one for each partner."""
    names = constants(root / "handlers/flow/src/lake.rs")
    prefix = names.pop("LANDING_PREFIX")
    storage = files["infra/modules/storage.bicep"]
    mistakes = differ("storage.bicep: container", set(names.values()), set(storage.variable("zones")))
    if storage.variable("landing")["config"] != f"{prefix}${{partner}}":
        mistakes.append(f"storage.bicep: landing containers must be named {prefix}<partner>")
    return mistakes


def events(root: Path, files: dict) -> list[str]:
    """The subscription tells the Event Grid function of all that it takes, and of the landing containers only."""
    file = files["infra/events.bicep"]
    [(_, _, body)] = file.resources()
    body = body["properties"]
    admit = (root / "handlers/flow/src/steps/admit.rs").read_text(encoding="utf-8")
    complete = set(re.findall(r'"(\w+)"', re.search(r"const COMPLETE: [^=]*= \[(.*?)\];", admit, re.S)[1]))
    mistakes = differ("events.bicep: operation", complete, set(body["filter"]["advancedFilters"][0]["values"]))
    prefix = constants(root / "handlers/flow/src/lake.rs")["LANDING_PREFIX"]
    if body["filter"]["subjectBeginsWith"] != f"/blobServices/default/containers/{prefix}":
        mistakes.append(f"events.bicep: subjectBeginsWith must be the containers {prefix}")
    triggered = {name for name, binding in bindings(root) if binding["type"] == "eventGridTrigger"}
    named = set(re.findall(r"'Microsoft\.Web/sites/functions', functionApp, '(\w+)'", file.text))
    mistakes += differ("events.bicep: function", triggered, named)
    return mistakes + differ("main.bicep: output for events.bicep:", set(file.parameters()), set(file.parameters()) & files["infra/main.bicep"].outputs())


def catalog(root: Path, files: dict) -> list[str]:
    """Container and partition key are the code's, and every field that a query filters or orders by is indexed."""
    code = constants(root / "handlers/azure/src/catalog.rs")
    cosmos = files["infra/modules/cosmos.bicep"]
    mistakes = []
    for variable, constant in (("containerName", "CONTAINER"), ("partitionKey", "PARTITION_KEY")):
        if cosmos.variable(variable) != code[constant]:
            mistakes.append(f"cosmos.bicep: {variable} must be {code[constant]}")
    wanted = {"kind", code["PARTITION_KEY"].lstrip("/")}
    for path in (root / "handlers/flow/src").rglob("*.rs"):
        if {"tests", "conformance", "harness", "memory"} & set(path.parts):
            continue
        text = without_tests(path)
        wanted |= set(re.findall(r'(?:order|any_of|at_least)(?::| =) Some\(\("(\w+)"', text))
        wanted |= set(re.findall(r'less_than: vec!\[\("(\w+)"', text))
        wanted |= set(re.findall(r'\(\("(\w+)", ', " ".join(re.findall(r"(?:any_of|less_than)[:=][^;]*", text))))
        wanted |= set(re.findall(r'filter\.\w+\.then\(\|\| \("(\w+)"', text))
        wanted |= set(re.findall(r'filter\.\w+\.clone\(\)\.map\(\|\w+\| \("(\w+)"', text))
        for searched in re.findall(r'const SEARCHED: &\[&str\] = &\[([^\]]*)\]', text):
            wanted |= set(re.findall(r'"(\w+)"', searched))
        wanted |= set(re.findall(r'any_of: [^\n]*then_some\(\("(\w+)"', text))
        for line in re.findall(r'(?:equals(?::| =) vec!\[|equals\.push\(\(|for \(field, value\) in \[)[^\n]*', text):
            wanted |= set(re.findall(r'\(?\("(\w+)", ', line))
    return mistakes + differ("cosmos.bicep: index", wanted, set(cosmos.variable("indexed")))


def app_roles(root: Path, _files: dict) -> list[str]:
    """The app roles to register are those that the handler knows."""
    text = (root / "handlers/app/src/auth/mod.rs").read_text(encoding="utf-8")
    roles = json.loads((root / "infra/app-roles.json").read_text(encoding="utf-8"))
    mistakes = differ("app-roles.json: role", set(re.findall(r'Self::\w+ => "(\w+)"', text)), {role["value"] for role in roles})
    return mistakes + (["app-roles.json: two roles share an id"] if len({role["id"] for role in roles}) < len(roles) else [])


def no_keys(_root: Path, files: dict) -> list[str]:
    """No template asks for a key or lets one be used."""
    mistakes = []
    for file in files.values():
        mistakes += [f"{file.name}: asks for keys ({word})" for word in sorted(set(re.findall(r"\blist\w*Keys\w*|\blistSecrets\w*|AccountKey=", file.text)))]
        for symbol, kind, body in file.resources():
            wanted = {
                "Microsoft.Storage/storageAccounts": ("allowSharedKeyAccess", False),
                "Microsoft.ServiceBus/namespaces": ("disableLocalAuth", True),
                "Microsoft.DocumentDB/databaseAccounts": ("disableLocalAuth", True),
                "Microsoft.Insights/components": ("DisableLocalAuth", True),
            }.get(kind)
            if wanted and body["properties"].get(wanted[0]) is not wanted[1]:
                mistakes.append(f"{file.name}: {symbol}: {wanted[0]} must be {str(wanted[1]).lower()}")
    return mistakes


CHECKS = (queues, settings, containers, events, catalog, app_roles, no_keys)


def check(root: Path) -> list[str]:
    """Every mistake."""
    files, mistakes = bicep.read(root)
    if mistakes or not files:
        return mistakes or ["no Bicep files found"]
    mistakes = bicep.names(files) + bicep.modules(files) + properties.unknown(files)
    return mistakes + [mistake for one in CHECKS for mistake in one(root, files)]


def main() -> int:
    found = check(Path(__file__).resolve().parents[2])
    for mistake in found:
        print(mistake, file=sys.stderr)
    print(f"infra: {len(found)} mistakes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
