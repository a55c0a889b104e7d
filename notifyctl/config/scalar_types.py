"""Parses texts of files: durations, dates, local times, time zones and URLs. Parsers raise ValueError with a message
for users.

Everything that needs a calendar (times skipped by a zone, cron occurrences) belongs to `schedule`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from notifyctl.model.project import RECIPIENT_ZONE
from notifyctl.transport.loopback import is_loopback

DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?")
EPOCH = re.compile(r"[0-9]{9,10}")
"""Seconds since the epoch, from 1973 to 2286. A date without hyphens has fewer digits, milliseconds have more."""
MILLISECONDS = re.compile(r"[0-9]{12,}")
CLOCK = re.compile(r"(\d{2}):(\d{2})")
CRON = r"\S+(?:\s+\S+){4}"


def parse_duration(text: str) -> timedelta:
    """Parses a positive duration such as `90s`, `30m`, `4h`, `2d` or `1h30m`."""
    match = DURATION.fullmatch(text)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not length:
        raise ValueError(f'"{text}" is not a valid duration; use for example 90s, 30m, 4h, 2d or 1h30m')
    return length


def parse_date(text: str) -> date:
    if not DATE.fullmatch(text):
        raise ValueError(f'"{text}" is not a valid date; use YYYY-MM-DD, for example 2026-12-25')
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" does not exist in the calendar') from None


def parse_datetime(text: str) -> datetime:
    """Parses an ISO 8601 date and time, naive (local time) without an offset, or seconds since the epoch (rules 37,
    40).
    """
    if EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text), tz=UTC)
    if MILLISECONDS.fullmatch(text):
        raise ValueError(f'"{text}" is too large for epoch seconds; use for example 2026-12-01T09:00Z')
    if not DATETIME.fullmatch(text):
        raise ValueError(
            f'"{text}" is not a valid date and time; use 2026-12-01T09:00 (local time) or 2026-12-01T09:00+01:00'
        )
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" does not exist in the calendar') from None


def epoch_to_iso(text: str) -> str | None:
    """Converts seconds since the epoch to ISO 8601 with Z. Returns None for any other format."""
    return parse_datetime(text).strftime("%Y-%m-%dT%H:%M:%SZ") if EPOCH.fullmatch(text) else None


def parse_clock(text: str) -> time:
    """Parses a local time from 00:00 to 23:59."""
    match = CLOCK.fullmatch(text)
    hours, minutes = (int(part) for part in match.groups()) if match else (99, 99)
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - the clock
        raise ValueError(f'"{text}" is not a valid time; use HH:MM in quotes, for example "08:00"')
    return time(hours, minutes)


def parse_end_clock(text: str) -> time:
    """Parses a local time like `parse_clock`; "24:00" and "00:00" are the end of the day (time.max)."""
    return time.max if text in ("24:00", "00:00") else parse_clock(text)


def parse_quiet_end(text: str) -> time:
    """Parses the end of quiet hours: like `parse_clock`, and "24:00" is the end of the day (time.max)."""
    return time.max if text == "24:00" else parse_clock(text)


def parse_local(text: str) -> date:
    """Parses a date, or a naive datetime: a local time."""
    if DATE.fullmatch(text):
        return parse_date(text)
    moment = parse_datetime(text)
    if moment.tzinfo is not None:
        raise ValueError(
            f'"{text}" has an offset; use the local time in `timezone`, such as 2026-12-01T09:00'
        )
    return moment


def parse_zone(text: str) -> str:
    """Checks the name of an IANA time zone installed on this machine."""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):  # KeyError: unknown zone; OSError: a folder of zones
        from notifyctl.config.messages import find_nearest

        nearest = find_nearest(text, available_timezones())
        hint = f"; did you mean {nearest}?" if nearest else "; use for example Europe/London"
        raise ValueError(f'"{text}" is not an IANA time zone{hint}') from None
    return text


def parse_date_or_time(text: str) -> date:
    """Parses a date, or a datetime that is in UTC if it has no offset."""
    if DATE.fullmatch(text):
        return parse_date(text)
    moment = parse_datetime(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def parse_region(text: str) -> str:
    """Checks the ISO 3166 code of a country that has phone numbers."""
    from phonenumbers import SUPPORTED_REGIONS

    if text.upper() not in SUPPORTED_REGIONS:
        raise ValueError(f'"{text}" is not a country code of two letters; use for example GB or US')
    return text.upper()


def parse_encoding(text: str) -> str:
    """Checks the name of a text encoding known to Python."""
    import codecs

    try:
        "".encode(codecs.lookup(text).name)
    except (LookupError, ValueError):
        raise ValueError(
            f'"{text}" is not a text encoding; use for example cp1252, latin-1 or utf-16'
        ) from None
    return text


def parse_zone_or_recipient(text: str) -> str:
    return text if text == RECIPIENT_ZONE else parse_zone(text)


def parse_endpoint(text: str) -> str:
    """Checks an https URL. http is allowed for loopback only, because keys and receipts must not be sent unencrypted."""
    from urllib.parse import urlsplit

    check_url(text, schemes=("https", "http"))
    parts = urlsplit(text)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError(
            "http:// is accepted for this machine only (127.0.0.1, ::1, localhost); use https://"
        )
    return text


def parse_sandbox_endpoint(text: str) -> str:
    """Checks a URL on this machine: what the sandbox is sent is confirmed by nobody, so it must not leave."""
    from urllib.parse import urlsplit

    parse_endpoint(text)
    if not is_loopback(urlsplit(text).hostname or ""):
        raise ValueError(
            "the sandbox must be on this machine (127.0.0.1, ::1, localhost); to send to another one, set `provider: webexconnect`"
        )
    return text


def parse_proxy(text: str) -> str:
    """Checks the address of a proxy: `http://host:port` or `https://host:port`."""
    from urllib.parse import urlsplit

    if "@" in text:
        raise ValueError(
            "a user name or password is not allowed here; set `proxyEnv` to the name of a variable with the whole address"
        )
    if text.lower().startswith("socks"):
        raise ValueError("SOCKS proxies are not supported; use http://HOST:PORT")
    check_url(text, schemes=("http", "https"))
    parts = urlsplit(text)
    if parts.port is None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f'"{text}" is not the address of a proxy; use http://HOST:PORT')
    return text


def check_url(text: str, *, schemes: tuple[str, ...]) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or not host or parts.scheme not in schemes or re.search(r"[\s\x00-\x20]", text):
        raise ValueError(
            f'"{text}" is not a valid URL that starts with {" or ".join(f"{scheme}://" for scheme in schemes)}'
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name or password is not allowed in this URL")
    return text


def parse_issuer(text: str) -> str:
    """Checks the issuer of tokens: an https URL as the claim `iss` has it. http is allowed for loopback only."""
    from urllib.parse import urlsplit

    parse_endpoint(text)
    parts = urlsplit(text)
    if parts.query or parts.fragment:
        raise ValueError(f'"{text}" is not an issuer: a query or fragment is not allowed')
    return text


PERSON_EMAIL = re.compile(r"[^\s<>@,;]+@[^\s<>@,;]+")


def parse_person_email(text: str) -> str:
    """Checks an email address as it is in commits."""
    if not PERSON_EMAIL.fullmatch(text):
        raise ValueError(f'"{text}" is not an email address; use for example ada@acme.example')
    return text


KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)
"""Key types whose signatures can be verified here. Not DSA, which is broken, nor keys of security keys (sk-…)."""


def parse_public_key(text: str) -> str:
    """Checks the form of a public SSH key: type, Base64 that begins with the same type, and perhaps a comment."""
    from base64 import b64decode

    parts = text.split()
    wanted = f"use the line of a .pub file: {KEY_TYPES[0]} AAAA… ada@acme.example"
    if "PRIVATE KEY" in text:
        raise ValueError(f"this is a private key: replace it, because it is known now; {wanted}")
    if not parts or parts[0] not in KEY_TYPES:
        known = ", ".join(KEY_TYPES)
        raise ValueError(f'"{text[:40]}" does not start with a supported key type ({known}); {wanted}')
    try:
        blob = b64decode(parts[1], validate=True) if len(parts) > 1 else b""
    except ValueError:
        blob = b""
    name = parts[0].encode()
    if not blob.startswith(len(name).to_bytes(4, "big") + name) or len(blob) < 2 * len(name):
        raise ValueError(f'"{text[:40]}" is not a complete public key; {wanted}')
    return text
