"""A fast reader of well-formed bodies, derived from the marshmallow schema that describes them.

marshmallow finds every error of a body at once, and pays for that on each field of each good one. A decoder walks the same
fields, stops at the first thing it would not vouch for, and leaves the body to marshmallow then. So there is one description
of a body, the schema; a decoder never accepts what the schema refuses, and loads what it accepts to the same values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from marshmallow import Schema, ValidationError, fields, missing, validate, validates_schema
from marshmallow.constants import EXCLUDE

Decode = Callable[[Any], Any]


class Doubt(Exception):  # noqa: N818 - not an error: the schema is asked instead
    """A value that a decoder does not vouch for."""


class Tolerant(Schema):
    """A schema that a decoder can be derived from: unknown keys pass, and what concerns several fields is in `hold`."""

    class Meta:
        unknown = EXCLUDE

    @validates_schema
    def hold_together(self, data: dict[str, Any], *_: Any, **__: Any) -> None:
        self.hold(data)

    def hold(self, data: dict[str, Any]) -> None:
        """Raise a ValidationError where the loaded values contradict each other."""


def _validated(plain: Decode, validators: Sequence[Callable[[Any], Any]]) -> Decode:
    """`plain` with the field's validators after it."""

    def decode(value: Any) -> Any:
        loaded = plain(value)
        for check in validators:
            check(loaded)
        return loaded

    return decode if validators else plain


def _text(field: fields.String) -> Decode:
    def decode(value: Any) -> str:
        if type(value) is not str:
            raise Doubt
        return value

    # The commonest check by far, so it is made without a call.
    lengths = field.validators
    if len(lengths) == 1 and type(lengths[0]) is validate.Length and not lengths[0].equal:
        least, most = lengths[0].min or 0, lengths[0].max or math.inf

        def short(value: Any) -> str:
            if type(value) is not str or not least <= len(value) <= most:
                raise Doubt
            return value

        return short
    return _validated(decode, field.validators)


def _number(field: fields.Float) -> Decode:
    def decode(value: Any) -> float:
        if type(value) is not float and type(value) is not int:
            raise Doubt
        number = float(value)
        if not math.isfinite(number):
            raise Doubt
        return number

    return _validated(decode, field.validators)


def _list(field: fields.List[Any]) -> Decode:
    item = _nullable(field.inner)

    def decode(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Doubt
        return [item(each) for each in value]

    return _validated(decode, field.validators)


def _words(field: fields.Dict) -> Decode:
    if type(field.key_field) is not fields.String or type(field.value_field) is not fields.String:
        raise TypeError("a decoder knows dictionaries of texts only")
    key_of, value_of = _nullable(field.key_field), _nullable(field.value_field)

    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Doubt
        return {key_of(key): value_of(each) for key, each in value.items()}

    return _validated(decode, field.validators)


def _own(field: fields.Field[Any]) -> Decode:
    """A field that is not marshmallow's own, or a date: its own reading of a value, without what surrounds it."""
    read = field._deserialize

    def decode(value: Any) -> Any:
        return read(value, None, None)

    return _validated(decode, field.validators)


READERS: dict[type, Callable[[Any], Decode]] = {
    fields.String: _text,
    fields.Float: _number,
    fields.List: _list,
    fields.Dict: _words,
}


def _plain(field: fields.Field[Any]) -> Decode:
    """How a field reads a value that is there and not null."""
    if field.pre_load or field.post_load:
        raise TypeError(f"a decoder knows no hooks of a field: {field!r}")
    if isinstance(field, fields.Nested):
        return _validated(decoder(field.schema), field.validators)
    derive: Callable[[Any], Decode] = READERS.get(type(field), _own)
    return derive(field)


def _nullable(field: fields.Field[Any]) -> Decode:
    plain, null = _plain(field), bool(field.allow_none)

    def decode(value: Any) -> Any:
        if value is None:
            if null:
                return None
            raise Doubt
        return plain(value)

    return decode


def decoder(schema: Schema) -> Decode:
    """The reader of a schema's well-formed tables.

    Parameters
    ----------
    schema: a `Tolerant`, its nested schemas too.

    Returns
    -------
    A function from a table to what `schema.load` makes of it; raises Doubt or ValidationError where the schema must be asked.
    """
    if not isinstance(schema, Tolerant) or schema.partial or schema.many:
        raise TypeError(f"no decoder can be derived from {schema!r}")
    if any(field.data_key or field.attribute for field in schema.load_fields.values()):
        raise TypeError(f"a decoder knows no renamed keys: {schema!r}")
    known = {name: _nullable(field) for name, field in schema.load_fields.items()}
    required = frozenset(name for name, field in schema.load_fields.items() if field.required)
    defaults = {name: f.load_default for name, f in schema.load_fields.items() if f.load_default is not missing}
    fixed = {name: default for name, default in defaults.items() if not callable(default)}
    made = [(name, default) for name, default in defaults.items() if callable(default)]
    hold = schema.hold if type(schema).hold is not Tolerant.hold else None

    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict or not required <= value.keys():
            raise Doubt
        loaded = fixed.copy()
        for name, make in made:
            if name not in value:
                loaded[name] = make()
        for name, given in value.items():
            read = known.get(name)
            if read is not None:
                loaded[name] = read(given)
        if hold is not None:
            hold(loaded)
        return loaded

    return decode


class Loader:
    """Loads bodies: the well-formed ones by the decoder, all others by the schema, which names every error."""

    def __init__(self, schema: Schema) -> None:
        self.schema, self.decode = schema, decoder(schema)

    def load(self, body: Any) -> dict[str, Any]:
        """What the schema makes of a body.

        Raises
        ------
        ValidationError: with everything that is wrong.
        """
        try:
            return self.decode(body)  # type: ignore[no-any-return]
        except (Doubt, ValidationError, OverflowError):
            loaded: dict[str, Any] = self.schema.load(body)
            return loaded


__all__ = ["Loader", "Tolerant", "decoder"]
