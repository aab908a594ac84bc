"""The JSON Schema of segment files, for editors. Written by ``waypost.authoring.rule_reference``."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter

from waypost.authoring.problems import Authored
from waypost.authoring.rules.behaviour import FollowingEvent
from waypost.authoring.rules.comparisons import Comparison
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.language import Rule
from waypost.authoring.rules.models.dates import Here, Times
from waypost.authoring.rules.models.random_parts import Bucket, Holdout
from waypost.authoring.rules.registry import MODELS
from waypost.authoring.segments import Segment
from waypost.segments.vocabulary import OPERATORS, OPTIONS_OF_OPERATORS, WHERE_WORDS

Schema = dict[str, Any]

PARTS: Final[tuple[type[Authored], ...]] = (FollowingEvent, Times, Here, Bucket, Holdout)
"""Models inside those of the key words."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def says_of(model: type[Authored]) -> Iterator[tuple[str, Says]]:
    """What the fields of a model say, each with its field's name; and what the model says itself, under ""."""
    yield from (("", says) for says in getattr(model, "SAYS", ()))
    for name, field in model.model_fields.items():
        yield from ((field.alias or name, each) for each in field.metadata if isinstance(each, Says))


def segment_schema() -> Schema:
    """The schema of a segment file; ``$defs/Rule`` is that of a rule."""
    rule = TypeAdapter(Rule).json_schema(by_alias=True)
    definitions = {name: _plain(each) for name, each in rule.pop("$defs").items()}
    for model in (*MODELS.values(), *PARTS):
        _describe(definitions[model.__name__], model)
    definitions["Rule"] = {"anyOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in MODELS.values()]}
    definitions["Where"] = _where()
    file = _plain(Segment.model_json_schema(by_alias=True))
    properties = {**file["properties"], "rule": {"$ref": "#/$defs/Rule"}}
    return {
        "$schema": DIALECT,
        "title": "A saved segment of Waypost: statemachines/segments/<name>.yaml",
        "type": "object",
        "additionalProperties": False,
        "required": file["required"],
        "properties": properties,
        "$defs": definitions,
    }


def _describe(schema: Schema, model: type[Authored]) -> None:
    """Descriptions from the documentation, and what pydantic checks in code."""
    schema["description"] = " ".join((model.__doc__ or "").split())
    texts: dict[str, list[str]] = {}
    for name, says in says_of(model):
        texts.setdefault(name, []).append(f"{says.title}: {says.means}. Example: {says.example}".replace("`", ""))
    for name, lines in texts.items():
        if name in schema["properties"]:
            schema["properties"][name] = {**schema["properties"][name], "description": "\n".join(lines)}
    for word in ("where", "having"):
        if word in schema["properties"]:
            described = schema["properties"][word].get("description")
            schema["properties"][word] = {"$ref": "#/$defs/Where", **({"description": described} if described else {})}
    for word in ("not", "all", "any"):
        if word in schema.get("required", ()):
            one = {"$ref": "#/$defs/Rule"}
            schema["properties"][word] = one if word == "not" else {"type": "array", "items": one, "minItems": 1}
    if issubclass(model, Comparison):
        schema["oneOf"] = [{"required": [operator]} for operator in OPERATORS]


def _where() -> Schema:
    """A rule over an event, or the shorthand: any other mapping is one of properties."""
    scalar = {"type": ["string", "number", "boolean"]}
    operators = {"type": "object", "minProperties": 1, "propertyNames": {"enum": [*OPERATORS, *OPTIONS_OF_OPERATORS]}}
    values = {"anyOf": [scalar, {"type": "array", "items": scalar, "minItems": 1}, operators]}
    shorthand = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": values,
        "not": {"anyOf": [{"required": [word]} for word in WHERE_WORDS]},
    }
    return {"anyOf": [{"$ref": "#/$defs/Rule"}, shorthand]}


def _plain(schema: Any) -> Any:
    """Without what pydantic adds for its own sake: titles, null for a word that is left out, defaults of null."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found: Schema = {}
    for word, value in schema.items():
        if word == "properties":
            found[word] = {name: _plain(each) for name, each in value.items()}
        elif not (word == "title" or (word == "default" and value is None) or word == "discriminator"):
            found[word] = _plain(value)
    options = found.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        others = [each for each in options if each != {"type": "null"}]
        del found["anyOf"]
        found |= others[0] if len(others) == 1 else {"anyOf": others}
    return found
