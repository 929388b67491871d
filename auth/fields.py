"""Column types that refuse what the ORM's own would quietly bend."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.models import Model
from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a time-ordered identifier (UUID version 7), so that inserts land at the index's end."""
    return uuid7()


def primary_key() -> Any:
    """Return the primary key column every table shares."""
    return fields.UUIDField(primary_key=True, default=new_id)


class ExactDecimalField(fields.DecimalField[Decimal]):
    """NUMERIC that refuses floats, NaN, and digits it could not store; the ORM's rounds half-even."""

    def to_python_value(self, value: Any) -> Decimal | None:
        """Return the value as a Decimal; text from the database is taken, a float is not."""
        if value is None:
            return None
        return self._exact(value)

    def to_db_value(self, value: Any, instance: Any) -> Decimal | None:  # noqa: ARG002 - the ORM's signature
        """Return what is stored: the very value given."""
        if value is None:
            return None
        return self._exact(value)

    def _exact(self, value: Any) -> Decimal:
        if isinstance(value, (float, bool)):
            raise TypeError(f"{self.model_field_name} takes a Decimal, not {value!r}")
        number = value if isinstance(value, Decimal) else Decimal(value)
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int):
            raise ValueError(f"{self.model_field_name} takes a finite number, not {value!r}")  # noqa: TRY004 - it is a Decimal, not a finite one
        if -exponent > self.decimal_places and number != number.quantize(Decimal(1).scaleb(-self.decimal_places)):
            raise ValueError(f"{self.model_field_name} keeps {self.decimal_places} decimals: {value!r} has more")
        return number


def money(**options: Any) -> Any:
    """Return a column of baht: two decimals, up to 999,999,999,999.99."""
    return ExactDecimalField(max_digits=14, decimal_places=2, **options)


def unit_price(**options: Any) -> Any:
    """Return a column of baht per unit: up to six decimals."""
    return ExactDecimalField(max_digits=18, decimal_places=6, **options)


def quantity(**options: Any) -> Any:
    """Return a column of units: up to six decimals."""
    return ExactDecimalField(max_digits=20, decimal_places=6, **options)


def rate(**options: Any) -> Any:
    """Return a column of a fraction of one: 0.07 is 7 %."""
    return ExactDecimalField(max_digits=7, decimal_places=6, **options)


class InstantField(fields.DatetimeField[dt.datetime]):
    """TIMESTAMPTZ that refuses a time without its zone; the ORM would take it as local."""

    def to_db_value(self, value: Any, instance: Any) -> Any:
        """Return what is stored; a naive time is refused."""
        if isinstance(value, dt.datetime) and value.tzinfo is None:
            raise ValueError(f"{self.model_field_name} takes a time with its zone")
        return super().to_db_value(value, instance)


def canonical(document: Any) -> str:
    """Return the one JSON text of a document: keys sorted, no spaces, decimals as text."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a document")


class DocumentField(fields.JSONField[Any]):
    """JSONB; decimals go in as text, so that no digit is lost."""

    def __init__(self, **options: Any) -> None:
        super().__init__(encoder=canonical, decoder=json.loads, **options)


def too_long(model: type[Model], facts: Mapping[str, Any]) -> dict[str, str]:
    """Return, for each text longer than its column holds, the English message id that says so."""
    columns = {name: column for name, column in model._meta.fields_map.items() if isinstance(column, fields.CharField)}
    return {
        name: "This text is too long."
        for name, text in facts.items()
        if name in columns and isinstance(text, str) and len(text) > columns[name].max_length
    }
