"""The contracts: which operation a request calls, and whether its parameters and its body are what they should be.

Request schemas are closed: a member that the contract doesn't name is a problem, unless the contract says that more
members are welcome. ``format`` isn't enforced (the ReelMirror contract marks its UUIDs as only observed).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, cast
from urllib.parse import unquote

from attrs import field, frozen
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

__all__ = ["Contract", "MethodNotAllowed", "NoSuchPath", "Operation", "Parameter", "Problem", "load_contract"]

Json = Any


class NoSuchPath(Exception):
    """No operation has this path."""


class MethodNotAllowed(Exception):
    """The path exists, but not with this method."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(", ".join(allowed))


@frozen(kw_only=True)
class Problem:
    """One thing that is wrong with a request or an answer: where, what, and the schema keyword that says so."""

    where: tuple[str | int, ...]
    message: str
    keyword: str


@frozen(kw_only=True)
class Parameter:
    """A parameter of an operation, in its path or its query."""

    name: str
    where: str
    required: bool
    schema: Json


@frozen(kw_only=True)
class Operation:
    """One operation of a contract. `bodies` are schemas by content type; an operation that has any needs a body.

    `scope` is the one it requires, if the contract names one.
    """

    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    bodies: Mapping[str, Json]
    scope: str | None
    is_public: bool
    answers: Mapping[str, Json] = field(repr=False)

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's segments; one in braces stands for any text."""
        return tuple(self.path.strip("/").split("/"))

    @property
    def query(self) -> dict[str, Parameter]:
        """The query parameters by name."""
        return {parameter.name: parameter for parameter in self.parameters if parameter.where == "query"}


class Contract:
    """One provider's OpenAPI document, ready to judge requests; `reelpub.testing.answers` judges answers."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.operations: dict[str, Operation] = {op.id: op for op in _operations(document)}
        self._closed: Json = {name: _close(schema) for name, schema in document["components"]["schemas"].items()}
        self._validators: dict[tuple[str, str], Validator] = {}

    @cached_property
    def _by_length(self) -> dict[int, list[Operation]]:
        table: dict[int, list[Operation]] = {}
        for operation in self.operations.values():
            table.setdefault(len(operation.segments), []).append(operation)
        return table

    def find(self, method: str, raw_path: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation that *method* and the still percent-encoded *raw_path* call, and its path parameters.

        A literal segment wins over a parameter. Raises `NoSuchPath` or `MethodNotAllowed`.
        """
        segments = [unquote(segment) for segment in raw_path.removeprefix("/").split("/")]
        fitting = [op for op in self._by_length.get(len(segments), ()) if _fits(op.segments, segments)]
        if not fitting:
            raise NoSuchPath(raw_path)
        best = min(op.path.count("{") for op in fitting)
        chosen = [op for op in fitting if op.path.count("{") == best]
        for operation in chosen:
            if operation.method == method:
                return operation, _path_values(operation.segments, segments)
        raise MethodNotAllowed([op.method for op in chosen])

    def read_query(
        self, operation: Operation, pairs: Iterable[tuple[str, str]]
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Return the query's values, converted and with defaults, and what is wrong with them."""
        given: dict[str, list[str]] = {}
        for name, text in pairs:
            given.setdefault(name, []).append(text)
        known = operation.query
        problems = [_unknown(("query", name)) for name in given if name not in known]
        values: dict[str, Any] = {}
        for name, parameter in known.items():
            if name in given:
                values[name] = _converted(self.resolved(parameter.schema), given[name])
                problems += self._judge(("query", name), parameter.schema, values[name], f"{operation.id} {name}")
            elif parameter.required:
                problems.append(Problem(where=("query", name), message="is required", keyword="required"))
            elif "default" in parameter.schema:
                values[name] = parameter.schema["default"]
        return values, problems

    def judge_body(self, operation: Operation, content_type: str, body: Any) -> list[Problem]:
        """Return what is wrong with *body*, decoded, as the *content_type* of *operation*."""
        return self._judge(("body",), operation.bodies[content_type], body, f"{operation.id} {content_type}")

    def resolved(self, schema: Json) -> Json:
        """Return *schema*, or what it refers to within the document."""
        while "$ref" in schema:
            node: Json = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        return schema

    def _judge(self, where: tuple[str | int, ...], schema: Json, value: Any, name: str) -> list[Problem]:
        validator = self._validators.get((where[0], name))  # type: ignore[arg-type]
        if validator is None:
            closed = {**_close(schema), "components": {"schemas": self._closed}}
            validator = self._validators[(str(where[0]), name)] = Draft202012Validator(closed)
        return [problem for error in validator.iter_errors(value) for problem in _problems(where, error)]


@lru_cache
def load_contract(name: str) -> Contract:
    """Return the contract *name* (``reelmirror`` or ``reap``) from the package's data."""
    text = (files("reelpub.sandbox") / "contracts" / f"{name}.json").read_text("utf-8")
    return Contract(json.loads(text))


def _operations(document: Json) -> Iterable[Operation]:
    for path, item in document["paths"].items():
        for method, raw in item.items():
            body = raw.get("requestBody", {})
            yield Operation(
                id=raw["operationId"],
                method=method.upper(),
                path=path,
                parameters=tuple(_parameter(document, one) for one in raw.get("parameters", ())),
                bodies={kind: content["schema"] for kind, content in body.get("content", {}).items()},
                scope=raw.get("x-required-scope", {}).get("scope"),
                is_public=raw.get("security") == [],
                answers=raw["responses"],
            )


def _parameter(document: Json, raw: Json) -> Parameter:
    if "$ref" in raw:
        raw = document["components"]["parameters"][raw["$ref"].rpartition("/")[2]]
    return Parameter(name=raw["name"], where=raw["in"], required=raw.get("required", False), schema=raw["schema"])


def _fits(template: Sequence[str], segments: Sequence[str]) -> bool:
    return all(
        bool(have) if want.startswith("{") else want == have for want, have in zip(template, segments, strict=True)
    )


def _path_values(template: Sequence[str], segments: Sequence[str]) -> dict[str, str]:
    return {want[1:-1]: have for want, have in zip(template, segments, strict=True) if want.startswith("{")}


def _close(schema: Json) -> Json:
    """Return *schema* with every object that names its members closed to all others."""
    if isinstance(schema, list):
        return [_close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: value if name in ("enum", "const", "default") else _close(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        closed["additionalProperties"] = False
    return closed


def _converted(schema: Json, texts: list[str]) -> Any:
    """Return query texts as the schema's type, or as they are where they can't be: the schema then refuses them."""
    if schema.get("type") == "array":
        return [_converted(schema.get("items", {}), [text]) for text in texts]
    if schema.get("type") == "integer":
        try:
            return int(texts[-1])
        except ValueError:
            return texts[-1]
    return texts[-1]


def _unknown(where: tuple[str | int, ...]) -> Problem:
    return Problem(where=where, message="isn't a member of the contract", keyword="additionalProperties")


def _problem(where: tuple[str | int, ...], error: ValidationError) -> Problem:
    message = error.message if len(error.message) <= 200 else f"{error.message[:200]}…"
    return Problem(where=(*where, *error.absolute_path), message=message, keyword=str(error.validator))


def _problems(where: tuple[str | int, ...], error: ValidationError) -> list[Problem]:
    """Return one problem for each member concerned, so that each has the place of its own member."""
    place = (*where, *error.absolute_path)
    if error.validator == "additionalProperties":
        schema, instance = cast("dict[str, Any]", error.schema), cast("dict[str, Any]", error.instance)
        return [_unknown((*place, name)) for name in instance if name not in schema.get("properties", {})]
    if error.validator == "required":
        name = error.message.split("'")[1]
        return [Problem(where=(*place, name), message="is required", keyword="required")]
    if error.context:
        branch = _likely_branch(error.context)
        return [problem for inner in branch for problem in _problems(where, inner)]
    return [_problem(where, error)]


def _likely_branch(context: Sequence[ValidationError]) -> list[ValidationError]:
    """Return the errors of the alternative that was probably meant: the one whose own type fits, else the first."""
    branches: dict[Any, list[ValidationError]] = {}
    for error in context:
        branches.setdefault(error.schema_path[0], []).append(error)
    fitting = [errors for errors in branches.values() if not any(e.validator == "type" and not e.path for e in errors)]
    return (fitting or list(branches.values()))[0]
