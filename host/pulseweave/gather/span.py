"""Points in time as people write them, to UTC in ms: ISO 8601, `now`, `-90min`, `-2h`, `-7d`."""

import re
from datetime import UTC, datetime, timedelta

from pulseweave.problem import Problem

UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, what: str, now: datetime | None = None) -> int:
    """UTC in ms. A date without an offset is in this machine's time zone. Raises Problem."""
    now = now or datetime.now(UTC)
    if text == "now":
        return round(now.timestamp() * 1000)
    try:
        if found := re.fullmatch(r"-(\d{1,6})(s|min|h|d|w)", text):
            return round((now - timedelta(**{UNITS[found[2]]: int(found[1])})).timestamp() * 1000)
        return round(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise Problem(f"{what} {text}: write 2026-11-22T20:30, 2026-11-22, now, -90min, -2h or -7d") from None


def utc(ms: int) -> str:
    """ISO 8601 in UTC with ms."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
