"""Compares every property of every resource with the models of Azure's own management libraries, which are made from the same API
descriptions as Bicep's types. A misspelt property, and a value that is none of an enumeration's, is found without a compiler.

The libraries describe their own API version, which is newer than most versions that the files name; what they do not describe (which
properties are needed, what a service accepts) is not checked.
"""

import importlib
import re
import typing
from enum import Enum

MODELS = {
    "Microsoft.Authorization/roleAssignments": ("authorization.v2022_04_01", "RoleAssignmentCreateParameters"),
    "Microsoft.DocumentDB/databaseAccounts": ("cosmosdb", "DatabaseAccountCreateUpdateParameters"),
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases": ("cosmosdb", "SqlDatabaseCreateUpdateParameters"),
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers": ("cosmosdb", "SqlContainerCreateUpdateParameters"),
    "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments": ("cosmosdb", "SqlRoleAssignmentCreateUpdateParameters"),
    "Microsoft.EventGrid/systemTopics": ("eventgrid", "SystemTopic"),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": ("eventgrid", "EventSubscription"),
    "Microsoft.Insights/actionGroups": ("monitor", "ActionGroupResource"),
    "Microsoft.Insights/components": ("applicationinsights.v2020_02_02", "ApplicationInsightsComponent"),
    "Microsoft.Insights/metricAlerts": ("monitor", "MetricAlertResource"),
    "Microsoft.Insights/scheduledQueryRules": ("monitor", "ScheduledQueryRuleResource"),
    "Microsoft.KeyVault/vaults": ("keyvault", "VaultCreateOrUpdateParameters"),
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("msi.v2024_11_30", "Identity"),
    "Microsoft.OperationalInsights/workspaces": ("loganalytics", "Workspace"),
    "Microsoft.ServiceBus/namespaces": ("servicebus", "SBNamespace"),
    "Microsoft.ServiceBus/namespaces/queues": ("servicebus", "SBQueue"),
    "Microsoft.Storage/storageAccounts": ("storage", "StorageAccountCreateParameters"),
    "Microsoft.Storage/storageAccounts/blobServices": ("storage", "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": ("storage", "BlobContainer"),
    "Microsoft.Storage/storageAccounts/managementPolicies": ("storage", "ManagementPolicy"),
    "Microsoft.Web/serverfarms": ("web", "AppServicePlan"),
    "Microsoft.Web/sites": ("web", "Site"),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": ("web", "CsmPublishingCredentialsPoliciesEntity"),
}
# No library has these: settings are the app's own names, and azure-mgmt-monitor 7 left diagnostic settings out.
NOT_DESCRIBED = {"Microsoft.Web/sites/config", "Microsoft.Insights/diagnosticSettings"}
# Bicep's own, and what every resource may have.
OF_BICEP = {"name", "parent", "scope", "dependsOn", "location", "tags"}
# Something whose inside is not described.
ANY = object()


def fields(models, model) -> dict:
    """Name on the wire -> what it holds: a nested dictionary, a class, a list of one of them, or ANY."""
    old = getattr(model, "_attribute_map", None)
    if old:
        tree: dict = {}
        for attribute in old.values():
            *parents, last = [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", attribute["key"])]
            place = tree
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = of_text(models, attribute["type"])
        return tree
    model.__new__(model)  # fills in _attr_to_rest_field
    hints = typing.get_type_hints(model, {"_models": models, **vars(typing)}, include_extras=True)
    return {field._rest_name: hints.get(name, ANY) for name, field in model._attr_to_rest_field.items()}


def of_text(models, text: str):
    """A type as the older libraries write it: `[X]`, `{X}`, `X`."""
    if text.startswith("["):
        return list[of_text(models, text[1:-1])] if of_text(models, text[1:-1]) is not ANY else ANY
    if text.startswith("{"):
        return ANY
    return getattr(models, text, ANY)


def narrowed(models, model, value: dict):
    """The subclass that the value's discriminator names."""
    for attribute, subtypes in (getattr(model, "_subtype_map", None) or {}).items():
        key = model._attribute_map[attribute]["key"].replace("\\.", ".")
        return getattr(models, subtypes[value[key]], model) if value.get(key) in subtypes else model
    mapping = model.__dict__.get("__mapping__") or {}
    return next((mapping[v] for v in value.values() if isinstance(v, str) and v in mapping), model)


def is_expression(value: dict) -> bool:
    """Whether the parser made this of a call, an operation or a loop, and not of an object."""
    return "loop_type" in value or (value.keys() <= {"function", "operator"} and all(isinstance(v, dict) for v in value.values()))


def compare(models, kind, value, place: str, symbols: set[str]) -> list[str]:
    options = [o for o in typing.get_args(kind) if o is not type(None)] if typing.get_origin(kind) is typing.Union else [kind]
    enums = [o for o in options if isinstance(o, type) and issubclass(o, Enum)]
    if enums and isinstance(value, str):
        # A name may hold anything, and an expression too.
        literal = value not in symbols and "${" not in value
        allowed = {member.value.lower() for member in enums[0]}
        return [f"{place}: {value!r} is none of {enums[0].__name__}"] if literal and value.lower() not in allowed else []
    kind = options[-1]
    if typing.get_origin(kind) is list:
        items = value if isinstance(value, list) else []
        if isinstance(value, dict) and "loop_type" in value:
            items = [value["config"]]
        return [m for i, item in enumerate(items) for m in compare(models, typing.get_args(kind)[0], item, f"{place}[{i}]", symbols)]
    is_model = isinstance(kind, type) and hasattr(kind, "as_dict")
    if not isinstance(value, dict) or is_expression(value) or not (is_model or isinstance(kind, dict)):
        return []
    # The parser leaves the quotes around a key that needs them.
    value = {key.strip("'"): inner for key, inner in value.items()}
    known = kind if isinstance(kind, dict) else fields(models, narrowed(models, kind, value))
    mistakes = [f"{place}: there is no property {key}" for key in value if key not in known]
    return mistakes + [m for key in value if key in known for m in compare(models, known[key], value[key], f"{place}.{key}", symbols)]


def unknown(files: dict) -> list[str]:
    """Properties and values that Azure does not know."""
    mistakes = []
    for file in files.values():
        symbols = {name for section in ("parameters", "variables", "resources") for name in file.tree.get(section, {})}
        for symbol, kind, body in file.resources():
            if kind in NOT_DESCRIBED:
                continue
            if kind not in MODELS:
                mistakes.append(f"{file.name}: {symbol}: properties.py knows no model of {kind}")
                continue
            module, model = MODELS[kind]
            models = importlib.import_module(f"azure.mgmt.{module}.models")
            body = {key: value for key, value in body.items() if key not in OF_BICEP}
            mistakes += compare(models, getattr(models, model), body, f"{file.name}: {symbol}", symbols)
    return mistakes
