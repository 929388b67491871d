"""These tests play on the stage."""

from tests.stage import database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]
