"""The demonstration: organisations without people's names, a catalogue, and a year of history made by real commands."""

from portal.demo.loading import DEMO_STARTS, DemoRefused, load

__all__ = ["DEMO_STARTS", "DemoRefused", "load"]
