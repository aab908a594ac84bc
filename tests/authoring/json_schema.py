"""The part of JSON Schema (draft 2020-12) that our schemas use, to hold documents against them in tests."""

import re
from typing import Any

_TYPES: dict[str, Any] = {
    "string": str, "number": (int, float), "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None),
}  # fmt: skip
KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "examples", "default", "type", "enum", "const", "pattern", "minLength", "maxLength",
    "minimum", "maximum", "exclusiveMinimum", "properties", "required", "additionalProperties", "propertyNames", "minProperties", "items",
    "minItems", "maxItems", "anyOf", "oneOf", "not",
}  # fmt: skip


def problems_of(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None) -> list[str]:  # noqa: C901 - one line per word
    """What is wrong with the value, as far as the schema says; fails for a word this does not know."""
    root = root or schema
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    found: list[str] = []
    if "$ref" in schema:
        found += problems_of(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "type" in schema and not any(_is(value, name) for name in _listed(schema["type"])):
        return [*found, f"{value!r} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{value!r} is none of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{value!r} is not {schema['const']!r}")
    if "anyOf" in schema and all(problems_of(value, each, root) for each in schema["anyOf"]):
        found.append(f"{value!r} fits none of anyOf")
    if "oneOf" in schema and sum(not problems_of(value, each, root) for each in schema["oneOf"]) != 1:
        found.append(f"{value!r} does not fit exactly one of oneOf")
    if "not" in schema and not problems_of(value, schema["not"], root):
        found.append(f"{value!r} fits not")
    if isinstance(value, str):
        found += _text(value, schema)
    elif isinstance(value, dict):
        found += _object(value, schema, root)
    elif isinstance(value, list):
        found += _array(value, schema, root)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found += _number(value, schema)
    return found


def _listed(types: Any) -> list[str]:
    return types if isinstance(types, list) else [types]


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (not isinstance(value, bool) or name == "boolean")


def _text(value: str, schema: dict[str, Any]) -> list[str]:
    fits = re.search(schema.get("pattern", ""), value) and schema.get("minLength", 0) <= len(value) <= schema.get(
        "maxLength", len(value)
    )
    return [] if fits else [f"{value!r} does not fit"]


def _number(value: float, schema: dict[str, Any]) -> list[str]:
    fits = schema.get("minimum", value) <= value <= schema.get("maximum", value) and not value <= schema.get(
        "exclusiveMinimum", value - 1
    )
    return [] if fits else [f"{value!r} is out of range"]


def _object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    found = [f"{name} is missing" for name in schema.get("required", ()) if name not in value]
    if len(value) < schema.get("minProperties", 0):
        found.append("has too few properties")
    others = schema.get("additionalProperties", True)
    for name, each in value.items():
        if "propertyNames" in schema:
            found += problems_of(name, schema["propertyNames"], root)
        if name in schema.get("properties", {}):
            found += problems_of(each, schema["properties"][name], root)
        elif others is False:
            found.append(f"{name} is unknown")
        elif others is not True:
            found += problems_of(each, others, root)
    return found


def _array(value: list[Any], schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    found = (
        [] if schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)) else ["has a wrong length"]
    )
    for each in value:
        found += problems_of(each, schema.get("items", {}), root)
    return found
