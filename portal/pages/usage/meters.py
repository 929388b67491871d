"""The meters that usage can name, in words."""

from billing.metering.queries import meters_within_reach
from portal.formats import Language


async def meter_names(language: Language) -> dict[str, list[str]]:
    """Return what each meter's code stands for, such as `Power used (kWh)`; several where offerings share a code."""
    return {
        code: list(
            dict.fromkeys(
                f"{item.name_en} ({item.unit_en})" if language == "en" else f"{item.name_th} ({item.unit_th})"
                for item in (meter.price_item for meter in meters)
            )
        )
        for code, meters in (await meters_within_reach()).items()
    }
