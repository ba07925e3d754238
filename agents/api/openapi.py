"""The API's description: OpenAPI 3.1 made from the same table that serves it, and a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from agents.api.access import SCOPES
from agents.api.operations import Operation, Parameter

REF = "#/components/schemas/{name}"
PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
        "at": {"type": "string", "description": "The part of the body that is wrong."},
    },
}
WORDS = {
    400: "The request cannot be read.",
    401: "No key, or none that is known.",
    403: "The key does not hold the scope.",
    404: "There is no such thing.",
    409: "Not now: another request is at work, or the place is taken.",
    413: "The body is over 64 KiB.",
    415: "The body is not JSON.",
    422: "The body does not fit, or the endpoint does not want our posts.",
    503: "Something is not set up, or the log does not answer.",
}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of operations."""
    kinds = [kind for one in operations for kind in (one.takes, one.gives) if kind is not None]
    _, components = msgspec.json.schema_components(kinds, ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Clausewire",
            "version": _version(),
            "description": "Who is told of changed clauses, and what became of telling them.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": PROBLEM},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": f"Scopes: {', '.join(SCOPES)}."}
            },
        },
        "security": [{"key": []}],
    }


def _version() -> str:
    try:
        return version("clausewire")
    except PackageNotFoundError:
        return "0"


def _operation(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": f"Needs the scope `{one.scope}`.",
        "tags": [one.path.split("/")[2]],
        "parameters": [_parameter(parameter) for parameter in one.parameters],
        "responses": {str(one.status): _answer(one), **_problems(one)},
    }
    if one.takes:
        described["requestBody"] = {"required": True, "content": _json(one.takes)}
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.says,
        "schema": parameter.schema,
    }


def _answer(one: Operation) -> dict[str, Any]:
    return {"description": "Done.", **({"content": _json(one.gives)} if one.gives else {})}


def _json(kind: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(name=kind.__name__)}}}


def _problems(one: Operation) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}}
    return {str(status): {"description": WORDS[status], "content": problem} for status in one.fails}


def page(operations: Iterable[Operation]) -> str:
    """Return the page at /docs: every operation, what it takes and how to ask; nothing is loaded from elsewhere."""
    sections = "".join(map(_section, operations))
    return PAGE.replace("{{operations}}", sections)


def _section(one: Operation) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p.name)}</code></td><td>{p.place}</td><td>{escape(p.says)}</td></tr>"
        for p in one.parameters
    )
    table = f"<table>{rows}</table>" if rows else ""
    takes = f"<h3>Body</h3>{_fields(one.takes)}" if one.takes else ""
    gives = f"<h3>Answer {one.status}</h3>" + (_fields(one.gives) if one.gives else "<p>Nothing.</p>")
    return (
        f'<section id="{one.name}"><h2><b>{one.method}</b> <code>{escape(one.path)}</code></h2>'
        f"<p>{escape(one.summary)} Scope: <code>{one.scope}</code>.</p>{table}{takes}{gives}</section>"
    )


def _fields(kind: Any) -> str:
    _, components = msgspec.json.schema_components([kind])
    fields = components[kind.__name__].get("properties", {})
    required = set(components[kind.__name__].get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{'required' if name in required else 'optional'}</td>"
        f"<td>{escape(_shape(field, components))}</td></tr>"
        for name, field in fields.items()
    )
    return f"<table>{rows}</table>"


def _shape(field: dict[str, Any], components: dict[str, Any], depth: int = 0) -> str:
    """Return in words what a field holds, two levels deep."""
    if "$ref" in field:
        inner = components[field["$ref"].rpartition("/")[2]]
        if "enum" in inner:
            return " | ".join(map(str, inner["enum"]))
        if depth > 1 or "properties" not in inner:
            return str(inner.get("title", "object"))
        names = (
            f"{name}: {_shape(part, components, depth + 1)}" for name, part in inner["properties"].items()
        )
        return "{" + ", ".join(names) + "}"
    if "anyOf" in field:
        return " or ".join(_shape(part, components, depth) for part in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {_shape(field.get('items', {}) or {}, components, depth + 1)}"
    return str(field.get("format") or field.get("type") or "anything")


PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Clausewire API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code{font-size:.9em}table{border-collapse:collapse;width:100%}td{border-top:1px solid #8886;padding:.3rem .6rem;
vertical-align:top;overflow-wrap:anywhere}section{margin:2.5rem 0}h2{font-size:1.1rem}
h3{font-size:.95rem;margin:.8rem 0 .2rem}
pre{background:#8882;padding:1rem;overflow:auto}</style></head><body><h1>Clausewire API</h1>
<p>Who is told of changed clauses, and what became of telling them. The machine-readable description is at
<a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<p>Every request under <code>/v1</code> shows a key, made with <code>clausewire api-keys create</code>. Failures are
<code>application/problem+json</code> (RFC 9457) with a <code>detail</code> and a <code>remedy</code>. A POST with an
<code>Idempotency-Key</code> is done once and answered the same for a day. Lists take <code>limit</code> and
<code>cursor</code>. A body holds up to 64 KiB.</p>
<pre>curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" -H "Idempotency-Key: legal-1" \\
  -d '{"name": "Legal", "to": {"webhook": {"url": "https://example.org/hook"}}, "only": {"min_severity": "high"}}' \\
  http://127.0.0.1:8480/v1/subscriptions</pre>
<p>A new webhook is asked for consent: <code>OPTIONS</code> with <code>WebHook-Request-Origin</code> (CloudEvents), or
else a signed ping that must be answered with 2xx. Posts are signed as Standard Webhooks has it, by a shared secret
or, with <code>"signature": "v1a"</code>, by a key whose public part is shown at any time; the secret is in the
answer that made or rotated it, and nowhere else.</p>{{operations}}</body></html>"""
