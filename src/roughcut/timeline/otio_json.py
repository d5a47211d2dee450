"""OpenTimelineIO objects to and from text with their metadata untouched.

OpenTimelineIO's JSON reader loses the last bit of about one float in six. Metadata holds exact values (ours) or is
none of our business (other tools'), so here it travels through the library as one string and comes out as it went in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import opentimelineio as otio

from roughcut.errors import PlanError

Json = dict[str, Any]
_SEALED = "json"


def seal(metadata: Json) -> Json:
    """Metadata as the library carries it here."""
    return {_SEALED: json.dumps(metadata)} if metadata else {}


def metadata_of(thing: Any) -> Json:
    """The metadata of an OpenTimelineIO object made by `parse` or with `seal`, as plain JSON values."""
    text = thing.metadata.get(_SEALED)
    return json.loads(text) if text else {}


def text_of(thing: otio.core.SerializableObject) -> Iterator[str]:
    """The object as a file's text, in parts: the whole text of a long film is tens of megabytes."""
    return json.JSONEncoder(indent=2).iterencode(plain(thing))


def plain(thing: otio.core.SerializableObject) -> Json:
    """The object as plain JSON values, as they stand in a file."""
    return _map_metadata(json.loads(thing.to_json_string()), _unseal)  # type: ignore[no-any-return]


def revive(values: Json) -> otio.core.SerializableObject:
    """The object that `plain` gave.

    Raises:
        PlanError: the values are no OpenTimelineIO object.
    """
    return _load(_map_metadata(values, _seal_any), "metadata")


def parse(text: str, where: str) -> otio.core.SerializableObject:
    """The object in a file's text.

    Raises:
        PlanError: not JSON, or not OpenTimelineIO.
    """
    try:
        values = json.loads(text)
        sealed = _map_metadata(values, _seal_any)
    except (ValueError, RecursionError) as error:
        raise PlanError("not an OpenTimelineIO file", where=where, got=f"{error}", allowed="JSON text") from error
    if not isinstance(values, dict) or "OTIO_SCHEMA" not in values:
        raise PlanError("not an OpenTimelineIO file", where=where, allowed='JSON with an "OTIO_SCHEMA"')
    _check_shape(sealed, where)
    return _load(sealed, where)


_LISTS = ("children", "markers", "effects")


def _check_shape(node: Any, where: str) -> None:
    """Refuse nulls where objects belong: OpenTimelineIO takes them and ends the process when it meets them."""
    if isinstance(node, list):
        for i, inner in enumerate(node):
            _check_shape(inner, f"{where}[{i}]")
    if not isinstance(node, dict):
        return
    schema = str(node.get("OTIO_SCHEMA", ""))
    if schema.startswith("Timeline."):
        _expect_object(node.get("tracks"), f"{where}: tracks")
    lists = [(name, node[name]) for name in _LISTS if schema and isinstance(node.get(name), list)]
    for name, inner in lists:
        for i, child in enumerate(inner):
            _expect_object(child, f"{where}: {name}[{i}]")
    for key, inner in node.items():
        _check_shape(inner, f"{where}: {key}")


def _expect_object(value: Any, where: str) -> None:
    if not isinstance(value, dict) or "OTIO_SCHEMA" not in value:
        raise PlanError("not an OpenTimelineIO object", where=where, got=repr(value)[:60])


_REFUSALS = (otio.exceptions.OTIOError, ValueError, KeyError, TypeError, IndexError, RuntimeError)


def _load(values: Any, where: str) -> otio.core.SerializableObject:
    try:
        thing = otio.core.deserialize_json_from_string(json.dumps(values))
    except _REFUSALS as error:
        raise PlanError("OpenTimelineIO cannot read it", where=where, got=f"{error}") from error
    if not isinstance(thing, otio.core.SerializableObject):
        raise PlanError("not an OpenTimelineIO object", where=where, got=type(thing).__name__)
    return thing


def _map_metadata(node: Any, change: Callable[[Any], Any]) -> Any:
    """The same tree with every object's metadata changed, and not looked into."""
    if isinstance(node, list):
        return [_map_metadata(v, change) for v in node]
    if not isinstance(node, dict):
        return node
    return {
        k: change(v) if k == "metadata" and "OTIO_SCHEMA" in node else _map_metadata(v, change) for k, v in node.items()
    }


def _seal_any(metadata: Any) -> Any:
    return seal(metadata) if isinstance(metadata, dict) else metadata


def _unseal(metadata: Any) -> Any:
    return json.loads(metadata[_SEALED]) if isinstance(metadata, dict) and _SEALED in metadata else metadata
