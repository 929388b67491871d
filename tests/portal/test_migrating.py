"""What a migration adds to a table that has rows is filled in them, and the database is left without a default."""

import uuid

import asyncpg

from portal import database as portal_database
from portal.embedded_postgres import OWNER, SUPERUSER, Address
from tests.conftest import create_database

_BEFORE = """
    SELECT set_config('portal.scope', 'system', false);
    ALTER TABLE billing_policy DROP COLUMN payment_instructions;
    ALTER TABLE statement DROP COLUMN payment_instructions;
    ALTER TABLE collector DROP COLUMN signs_in, DROP COLUMN user_name, DROP COLUMN sealed_secret;
    DELETE FROM tortoise_migrations WHERE name IN ('0336_collectors_sign_in', '0339_payment_instructions');
    INSERT INTO billing_policy (id, provider_id, needs_review, due_days, note_share, note_amount, set_by, set_at)
    SELECT gen_random_uuid(), gen_random_uuid(), true, 30, 0.2, 1000, 'test', now() FROM generate_series(1, 3);
"""
_DEFAULTS = """
    SELECT count(*) FROM information_schema.columns
    WHERE column_name IN ('payment_instructions', 'signs_in') AND table_schema = 'public' AND column_default IS NOT NULL
"""


async def test_rows_that_are_there_get_the_default_of_a_column_added(cluster: Address) -> None:
    name = f"test_{uuid.uuid4().hex}"
    await create_database(cluster, name, "template_empty")
    owner = await asyncpg.connect(cluster.url(SUPERUSER, name))
    try:
        await owner.execute(_BEFORE)
        await portal_database.migrate(cluster.url(OWNER, name))
        assert {row[0] for row in await owner.fetch("SELECT payment_instructions FROM billing_policy")} == {""}
        assert await owner.fetchval(_DEFAULTS) == 0
    finally:
        await owner.close()
        admin = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
