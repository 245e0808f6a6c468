"""What an answer tells its client to send back with events, and what is read out of it again. Pure."""

from __future__ import annotations

from collections.abc import Collection

NO_VARIANT = "none"
UNKNOWN = {"Recipe": "unknown", "Source": "unknown", "Variant": NO_VARIANT}
NOT_ATTRIBUTED = {"Recipe": "none", "Source": "none", "Variant": NO_VARIANT}
SOURCES = ("personalize", "stored", "popular", "given-order", "none")
VARIANTS = ("control", "treatment")
FEWEST_PARTS, MOST_PARTS = 2, 3


def attribution(recipe: str, source: str, variant: str | None) -> str:
    """Return `<recipe key>/<source>`, and `/<variant>` during an experiment."""
    return f"{recipe}/{source}/{variant}" if variant else f"{recipe}/{source}"


def dimensions(text: str | None, recipes: Collection[str]) -> dict[str, str]:
    """Return the metric dimensions Recipe, Source and Variant of an attribution.

    It comes back from clients: whatever none of our answers said is `unknown`, so that nobody makes metrics.
    """
    if text is None:
        return NOT_ATTRIBUTED
    parts = text.split("/")
    if not FEWEST_PARTS <= len(parts) <= MOST_PARTS:
        return UNKNOWN
    recipe, source, variant = (*parts, NO_VARIANT)[:MOST_PARTS]
    if recipe not in recipes or source not in SOURCES or variant not in (*VARIANTS, NO_VARIANT):
        return UNKNOWN
    return {"Recipe": recipe, "Source": source, "Variant": variant}
