"""A time of day as a user writes it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ..kernel.core.errors import Refusal


def moment(text: str) -> str:
    """The UTC time that a wall clock shows next (07:30), or at a date (2026-03-25T07:30); UTC itself stays.

    Raises `Refusal` for anything else, and for a time that is over.
    """
    now, wanted = datetime.now(), text.strip()
    try:
        if wanted.endswith("Z"):
            found = datetime.strptime(wanted, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).astimezone()
        elif "-" in wanted:
            found = datetime.strptime(wanted.replace(" ", "T"), "%Y-%m-%dT%H:%M").astimezone()
        else:
            clock = datetime.strptime(wanted, "%H:%M")
            today = now.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
            found = (today if today > now else today + timedelta(days=1)).astimezone()
    except (ValueError, OverflowError):
        raise Refusal(f"until is {text[:40]!r}, expected a time such as 07:30 or 2026-03-25T07:30") from None
    if found.timestamp() <= now.timestamp():
        raise Refusal(f"until is {text[:40]!r}, which is over; expected a time to come")
    return found.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
