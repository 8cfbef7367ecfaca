"""What a model must not be used for, and what it does not know: in the report and on the page, in the same words."""

from __future__ import annotations

from features.wording import Lang, message


def limits(lang: Lang, *, horizon: str, oldest: str | None) -> list[str]:
    """Sentences, those that hold for every model first.

    Parameters
    ----------
    horizon : within which a lead is to convert, as text.
    oldest : age of the oldest lead that the model learned from, as text; None where it is not known.
    """
    said = [message("limits.horizon", lang, horizon=horizon)]
    said += [message(f"limits.{key}", lang) for key in ("record", "cause", "person", "change", "handed")]
    return said if oldest is None else [*said, message("limits.age", lang, age=oldest)]
