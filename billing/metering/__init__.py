"""Metering: usage as it is reported, its sums by hour and day, and what is corrected afterwards."""
