"""The Bicep files, parsed, and what the parser does not check: names that nothing declares, modules that are called wrongly.

The parser is no compiler. It tells neither a string from a name nor one type from another; names are therefore looked for in the text.
"""

import re
from functools import cache
from pathlib import Path

from lark.exceptions import LarkError
from pycep import BicepParser

# The language's own words and the functions that the files use. A new one is added here on purpose, after a look at its documentation.
WORDS = set(
    "targetScope resource module param var output existing for in if true false null array bool int object string "
    "description allowed minLength maxLength minValue maxValue "
    "concat empty environment guid resourceGroup resourceId split subscriptionResourceId tenant uniqueString".split()
)


# Kept, since the mutations read every file again for a change of one.
@cache
def parsed(text: str) -> dict:
    return BicepParser().parse(text=text)


class File:
    def __init__(self, path: Path, root: Path):
        self.path = path
        self.name = str(path.relative_to(root))
        self.text = path.read_text(encoding="utf-8")

    @property
    def tree(self) -> dict:
        return parsed(self.text)

    def parameters(self) -> dict[str, bool]:
        """Name of each parameter, and whether it must be given."""
        return {name: p["default"] is None for name, p in self.tree.get("parameters", {}).items()}

    def outputs(self) -> set[str]:
        return set(self.tree.get("outputs", {}))

    def variable(self, name: str):
        return self.tree["variables"][name]["value"]

    def resources(self) -> list[tuple[str, str, dict]]:
        """Symbol, type and body of each resource that is made; a loop or a condition around the body is taken off."""
        made = []
        for symbol, resource in self.tree.get("resources", {}).items():
            body = resource["config"]
            while isinstance(body, dict) and "config" in body:
                body = body["config"]
            if not resource["existing"]:
                made.append((symbol, resource["type"], body))
        return made


def read(root: Path) -> tuple[dict[str, File], list[str]]:
    """Every file by its name, and those that cannot be parsed."""
    files, mistakes = {}, []
    for path in sorted((root / "infra").rglob("*.bicep")):
        file = File(path, root)
        files[file.name] = file
        try:
            file.tree
        except LarkError as error:
            mistakes.append(f"{file.name}: cannot be parsed: {str(error).splitlines()[0]}")
    return files, mistakes


def code(text: str) -> str:
    """The text without comments and without strings, but with what strings interpolate."""
    text = re.sub(r"(?m)^\s*//.*$|\s//\s.*$", "", text)
    interpolated = re.compile(r"'(?:[^'\\\n]|\\.)*'")
    return interpolated.sub(lambda m: " " + " ".join(re.findall(r"\$\{([^}]*)\}", m[0])) + " ", text)


def names(files: dict[str, File]) -> list[str]:
    """Names that nothing declares, and parameters and variables that nothing uses."""
    mistakes = []
    for file in files.values():
        text = code(file.text)
        declared = set(re.findall(r"(?m)^(?:param|var|resource|module|output)\s+(\w+)", text)) | set(re.findall(r"\bfor (\w+) in\b", text))
        # Neither a property of something, nor the key of an object.
        used = re.findall(r"(?<![.\w])([A-Za-z_]\w*)\b(?!\s*:(?!:))", re.sub(r"(?m)^(param|var|resource|module|output)\s+\w+", r"\1", text))
        # `c ? a : b` and `for x in a: ...` also have a colon behind a name.
        used += re.findall(r"(?:\?\s*|\bin\s+)([A-Za-z_]\w*)\s*:", text)
        mistakes += [f"{file.name}: nothing declares `{name}`" for name in sorted(set(used) - declared - WORDS)]
        own = set(file.parameters()) | set(file.tree.get("variables", {}))
        mistakes += [f"{file.name}: nothing uses `{name}`" for name in sorted(own - set(used))]
    return mistakes


def modules(files: dict[str, File]) -> list[str]:
    """Calls of modules: every parameter that must be given, no other; outputs that exist."""
    mistakes = []
    for file in files.values():
        for symbol, module in file.tree.get("modules", {}).items():
            target = files.get(str(Path(file.name).parent / module["detail"]["path"]))
            if target is None:
                mistakes.append(f"{file.name}: module {symbol}: there is no {module['detail']['path']}")
                continue
            given, wanted = set(module["config"]["params"]), target.parameters()
            mistakes += [f"{file.name}: module {symbol} lacks the parameter {p}" for p, must in wanted.items() if must and p not in given]
            mistakes += [f"{file.name}: module {symbol} has no parameter {p}" for p in sorted(given - set(wanted))]
            used = set(re.findall(rf"\b{symbol}\.outputs\.(\w+)", file.text))
            mistakes += [f"{file.name}: module {symbol} has no output {o}" for o in sorted(used - target.outputs())]
    return mistakes
