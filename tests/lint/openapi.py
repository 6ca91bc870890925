#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Holds conf/openapi.yaml and the sources together: every route of daemon/api/routes.c is a path and method in the file, with the
rights that it needs, and the other way round, and so are the events of the stream; every enumeration has the words of the table in C that they come from. The
file must be whole by itself: what it refers to is there, what is there is referred to, every object of an answer is closed.
The end-to-end tests hold the answers against it.

usage: openapi.py [ROOT]; prints one line for each breach and returns 1 if there is any, 77 where python3-yaml is missing.
"""

import re
import sys
from pathlib import Path

FILE, ROUTES, FILES = "conf/openapi.yaml", "daemon/api/routes.c", "daemon/api/assets.c"
# Schema: the file, and the table or function in it that has the words. Of a table with several texts a row, the first counts.
WORDS = {
    "CandidateVerdict": ("lib/protocol/verdict.c", "names"),
    "Cause": ("lib/protocol/cause.c", "causes"),
    "FenceCall": ("lib/protocol/fence_log.c", "names"),
    "ForecastFencing": ("lib/forecast/forecast.c", "fencing_names"),
    "HoldScope": ("lib/model/hold.c", "scopes"),
    "HostState": ("lib/detect/host.c", "words"),
    "Keeping": ("lib/model/machine.c", "keeping_names"),
    "KnowledgeSource": ("lib/model/spec.c", "source_names"),
    "MachineReason": ("lib/model/machine.c", "reason_names"),
    "MachineState": ("lib/model/machine.c", "state_names"),
    "Mode": ("daemon/settings.c", "settings_mode"),
    "NoticeKind": ("lib/protocol/notice.c", "kind_names"),
    "OnCrash": ("lib/report/json_machine.c", "on_crash_name"),
    "ProblemKind": ("lib/report/problem_list.c", "kinds"),
    "RankBy": ("lib/config/schema.c", "rank_by_words"),
    "RecoveryState": ("lib/workflow/recovery.c", "states"),
    "Role": ("lib/model/machine.c", "machine_roles_name"),
    "ServiceState": ("lib/report/service_list.c", "names"),
    "VerifyLevel": ("lib/config/schema.c", "verify_words"),
    "Warmth": ("lib/model/machine.c", "warmth_names"),
    "WarmProof": ("lib/model/machine.c", "warm_proof_names"),
}
# For several roles, and for none, which the answers tell in another way.
NOT_ANSWERED = {"Role": {"none", "protected, standby"}}
# What the event stream tells beside notices.
CHANGES, STREAM = "lib/report/changes.c", "daemon/api/stream.h"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
RIGHTS = {"API_READ": "read", "API_ACT": "act"}


def words_of(root, file, name):
    """The words of a table or a function."""
    text = (root / file).read_text()
    found = re.search(rf"\b{name}\[\w*\] = \{{(.*?)\}};", text, re.DOTALL)
    if found is not None:
        return set(re.findall(r'\]\s+= \{?"([^"]+)"', found[1]))
    found = re.search(rf"\b{name}\([^;{{]*\)\n\{{\n(.*?)\n\}}", text, re.DOTALL)
    return set(re.findall(r'(?:return|[?:]) "([^"]+)"', found[1])) if found is not None else set()


def check_words(root, schemas):
    enumerated = {name: schema["enum"] for name, schema in schemas.items() if "enum" in schema}
    breaches = [f"{name} has words, and this check does not know where they come from"
                for name in enumerated if name not in WORDS]
    for name, source in WORDS.items():
        wanted = words_of(root, *source) - NOT_ANSWERED.get(name, set())
        written = set(enumerated.get(name, []))
        where = f"{source[0]}, {source[1]}"
        if not wanted:
            breaches.append(f"{name}: no words were found in {where}")
        breaches += [f'{name} lacks "{word}" of {where}' for word in sorted(wanted - written)]
        breaches += [f'{name} has "{word}", which is not in {where}' for word in sorted(written - wanted)]
    return breaches


def routes_of(root):
    """{(method, path with {} for each name): rights}"""
    rows = re.findall(r'\{EVHTTP_REQ_\w+, "(\w+)", "([^"]+)", (API_\w+), \w+\}', (root / ROUTES).read_text())
    return {(method.lower(), path): RIGHTS[rights] for method, path, rights in rows}


def files_of(root):
    """As routes_of, for the files of the dashboard, which are no rows of that table."""
    place = re.search(r'#define ROOT +"([^"]+)"', (root / FILES).read_text())[1]
    return {(method, path): "read" for method in ("get", "head") for path in ("/", f"{place}{{}}")}


def check_routes(routes, paths):
    written = {(method, re.sub(r"\{\w+\}", "{}", path)): operation.get("x-rights")
               for path, operations in paths.items() for method, operation in operations.items() if method in METHODS}
    breaches = []
    breaches += [f"{method.upper()} {path} is a route, and not in {FILE}" for method, path in sorted(routes.keys() - written)]
    breaches += [f"{method.upper()} {path} is in {FILE}, and no route" for method, path in sorted(written.keys() - routes)]
    return breaches + [f"{method.upper()} {path} needs {routes[method, path]}, and {FILE} says {rights}"
                       for (method, path), rights in sorted(written.items()) if routes.get((method, path), rights) != rights]


def check_events(root, paths):
    table = re.search(r"\bkinds\[\w+\] = \{(.*?)\};", (root / CHANGES).read_text(), re.DOTALL)
    wanted = set(re.findall(r'"([^"]+)"', table[1] if table is not None else ""))
    wanted |= set(re.findall(r'#define STREAM_\w+ +"([^"]+)"', (root / STREAM).read_text()))
    written = paths["/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]["x-events"].keys()
    return [f"the event {event} is told, and not in {FILE}" for event in sorted(wanted - written)] + \
        [f"the event {event} is in {FILE}, and never told" for event in sorted(written - wanted)]


def parts_of(node, path=""):
    """[(path, object)], of every object in the file."""
    if isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            yield from parts_of(value, f"{path}/{name}")
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from parts_of(value, f"{path}/{at}")


def check_references(document):
    used = {part["$ref"] for _, part in parts_of(document) if isinstance(part.get("$ref"), str)}
    there = {f"#/components/{kind}/{name}" for kind, all_of in document["components"].items() for name in all_of}
    return [f"{reference} is referred to, and not there" for reference in sorted(used - there)] + \
        [f"{reference} is there, and nothing refers to it" for reference in sorted(there - used)]


def properties_of(schema, schemas):
    """With those of the schema that it completes."""
    base = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
    return {**base.get("properties", {}), **schema.get("properties", {})}, \
        {*base.get("required", []), *schema.get("required", [])}


def check_objects(document):
    """In an answer every member is there and none beside them; what a client sends may lack some."""
    schemas = document["components"]["schemas"]
    completed = {part["$ref"] for _, part in parts_of(document) if "$ref" in part and "unevaluatedProperties" in part}
    breaches = []
    for path, part in parts_of(schemas, "#/components/schemas"):
        if not isinstance(part.get("properties"), dict) or path.endswith("/properties"):
            continue
        is_sent = path.split("/")[3].endswith("Request")
        names, required = properties_of(part, schemas)
        if path not in completed and part.get("additionalProperties", part.get("unevaluatedProperties")) is not False:
            breaches.append(f"{path} allows members that are not named")
        breaches += [f"{path}: {name} is required, and no member" for name in sorted(required - names.keys())]
        if not is_sent and path != "#/components/schemas/Error":
            breaches += [f"{path}: {name} is not required" for name in sorted(names.keys() - required)]
    return breaches


def check_operations(document):
    breaches, ids = [], []
    tags = {tag["name"] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method in set(operations) & set(METHODS):
            operation, what = operations[method], f"{method.upper()} {path}"
            ids.append(operation.get("operationId"))
            given = [part.get("$ref", "").rpartition("/")[2] or part["name"]
                     for part in operations.get("parameters", []) + operation.get("parameters", [])]
            given = [document["components"]["parameters"].get(name, {"name": name})["name"] for name in given]
            breaches += [f"{what}: {name} is not described" for name in re.findall(r"\{(\w+)\}", path) if name not in given]
            if not operation.get("summary") or not set(operation.get("tags", ["?"])) <= tags:
                breaches.append(f"{what} has no summary, or no tag of those that there are")
            if "200" not in operation["responses"]:
                breaches.append(f"{what} has no answer 200")
            if operation.get("x-rights") == "act" and "User" not in str(operation.get("parameters")):
                breaches.append(f"{what} acts, and does not take the header Understudy-User")
    return breaches + [f"{ident} is the operationId of several" for ident in sorted({i for i in ids if ids.count(i) > 1})]


def check_form(document):
    """What the specification of OpenAPI itself says, where its validator is installed."""
    try:
        from openapi_spec_validator import OpenAPIV31SpecValidator
    except ImportError:
        return []
    return [f"{FILE}: {error.message[:300]}" for error in OpenAPIV31SpecValidator(document).iter_errors()]


def check(root, yaml):
    document = yaml.load((root / FILE).read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return check_routes({**routes_of(root), **files_of(root)}, document["paths"]) + check_events(root, document["paths"]) + \
        check_words(root, document["components"]["schemas"]) + check_references(document) + \
        check_objects(document) + check_operations(document) + check_form(document)


if __name__ == "__main__":
    try:
        import yaml
    except ImportError:
        print("python3-yaml is not installed")
        sys.exit(77)
    found = check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve(), yaml)
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
