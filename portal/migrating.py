"""Applying migrations without Tortoise's needless copies of the whole schema's state."""

import contextlib
from collections.abc import Iterator
from typing import Any

from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration
from tortoise.migrations.schema_generator.state import State

# None of these looks at the state before it.
_ADDING = (ops.CreateModel, ops.AddField, ops.AddIndex, ops.AddConstraint, ops.RunSQL)


@contextlib.contextmanager
def without_needless_copies() -> Iterator[None]:
    """Copy the state only before operations that look back at it.

    Tortoise copies it before every operation, every model class anew: four fifths of a first start.
    """
    original = Migration.apply

    async def apply(self: Migration, state: State, **how: Any) -> State:
        editor = how.get("schema_editor")
        if editor is None or how.get("dry_run") or how.get("collect_sql"):
            return await original(self, state, **how)
        in_transaction = editor.client.capabilities.supports_transactions
        for operation in self.operations:
            before = state if isinstance(operation, _ADDING) else state.clone()
            operation.state_forward(self.app_label, state)
            await self._run_database_forward(operation, before, state, editor, in_transaction)
        state.validate_relations_initialized()
        return state

    Migration.apply = apply  # type: ignore[method-assign]
    try:
        yield
    finally:
        Migration.apply = original  # type: ignore[method-assign]
