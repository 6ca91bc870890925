# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Holds answers of the control interface against conf/openapi.yaml. What the file does not say is a failure: another status,
another content type, another member, another value of an enumeration.
"""

import functools
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import yaml

FILE = Path(__file__).resolve().parents[3] / "conf/openapi.yaml"
SAMPLE = 200  # items of a longer list that are looked at
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What the description says of all paths: nothing there, not this method, and what is no HTTP.
EVERYWHERE = (400, 404, 405, 501)
ERROR = {"$ref": "#/components/schemas/Error"}

# (path, method) of every answer 200, and the name of every event beside notices, that was held against the file.
seen = set()


@functools.cache
def document():
    return yaml.load(FILE.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def resolve(part):
    """What stands there, or where it refers to."""
    while "$ref" in part:
        target = document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


@functools.cache
def _validator(schema):
    whole = {"$schema": DIALECT, "components": document()["components"], **json.loads(schema)}
    return jsonschema.Draft202012Validator(whole)


def _some(items):
    return items[::len(items) // SAMPLE] + items[-1:] if len(items) > SAMPLE else items


def _sampled(document):
    """A list with some of its items, the first and the last among them, where there are very many."""
    if not isinstance(document, dict):
        return document
    return {name: _some(value) if isinstance(value, list) else value for name, value in document.items()}


def _explain(error):
    """The innermost of what is wrong, since "is not valid under any of the given schemas" helps nobody."""
    worst = jsonschema.exceptions.best_match([error])
    where = "/".join(str(step) for step in worst.absolute_path)
    return f"at /{where}: {worst.message[:500]}"


def check_document(schema, value, what):
    """AssertionError unless the value is as the schema says."""
    errors = [_explain(error) for error in _validator(json.dumps(schema)).iter_errors(_sampled(value))]
    assert not errors, f"{what} is not as {FILE.name} says:\n" + "\n".join(errors)


@functools.cache
def _patterns():
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in document()["paths"]]


def path_of(target):
    """The path in the file that a request is for; None: there is none."""
    path = urlsplit(target).path
    return next((name for pattern, name in _patterns() if pattern.fullmatch(path)), None)


def methods_of(path):
    return [method for method in document()["paths"][path] if method not in ("parameters", "summary", "description")]


def operation_of(target, method):
    path = path_of(target)
    return None if path is None else document()["paths"][path].get(method.lower())


def _check_elsewhere(target, method, status, headers):
    """The answer to what is no operation."""
    path = path_of(target)
    what = f"{method} {target}"
    assert status in (EVERYWHERE if path is None else (405, 501)), f"{what} is not in {FILE.name}, and answered with {status}"
    if status == 405:
        allowed = headers.get("Allow", "").lower().split(", ")
        assert allowed in (sorted(methods_of(path)), ["get"]), f"{what}: Allow is {allowed}"
    return ERROR


def check_answer(method, target, status, headers, body, sent=None):
    """headers: a mapping. body: text. sent: what the request brought along, as JSON has it; None: nothing."""
    operation = operation_of(target, method)
    kind = headers.get("Content-Type", "").split(";")[0]
    what = f"the answer {status} to {method} {target}"
    if operation is None or status in (405, 501):
        content = {"application/json": {"schema": _check_elsewhere(target, method, status, headers)}}
    else:
        assert str(status) in operation["responses"], f"{what} is not in {FILE.name}"
        content = resolve(operation["responses"][str(status)]).get("content", {})
    if not body and (status == 503 or not content):
        return
    assert kind in content, f"{what} is {kind or 'of no content type'}, and {FILE.name} says {' or '.join(content)}"
    if kind == "application/json":
        check_document(content[kind]["schema"], json.loads(body), what)
    if operation is not None and status == 200:
        seen.add((path_of(target), method.lower()))
        if sent is not None:
            asked = resolve(operation.get("requestBody", {})).get("content", {}).get("application/json")
            if asked is not None:
                check_document(asked["schema"], sent, f"the body of {method} {target}, which was taken,")


def stream():
    return document()["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]


def check_event(event, data):
    """One message of the event stream. data: as JSON has it."""
    schema = stream()["x-events"].get(event)
    if schema is not None:
        seen.add(event)
    else:
        schema = stream()["x-notices"]
        assert data.get("kind") == event, f"the event {event} is not in {FILE.name}"
    check_document(schema, data, f"the event {event}")
