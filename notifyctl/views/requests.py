"""The requests of a dry run: JSON lines, or readable blocks. They contain no secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from notifyctl.audience.addresses import mask
from notifyctl.model.batch import Batch, PreparedRequest
from notifyctl.plan.samples import without
from notifyctl.plurals import pluralise
from notifyctl.views.colours import Paint, strip_controls

SHOWN_DESTINATIONS = 3


def as_json_line(
    batch: Batch, request: PreparedRequest, *, reveal: bool, more: Mapping[str, str] = MappingProxyType({})
) -> str:
    """`more`: keys that a command adds."""
    return json.dumps(
        {
            "method": request.method,
            "url": request.url,
            "headers": dict(request.headers),
            "body": request.body if reveal else mask_body(request.body, batch),
            "notification": batch.scope.notification,
            "recipients": batch.size,
            **more,
        },
        ensure_ascii=False,
    )


def as_text(batch: Batch, request: PreparedRequest, *, reveal: bool, colour: bool) -> str:
    paint = Paint(colour)
    body = request.body if reveal else mask_body(request.body, batch)
    shown = dict(body) if reveal else {**body, "to": body["to"][:SHOWN_DESTINATIONS]}
    hidden = len(body["to"]) - len(shown["to"])
    head = f"{batch.scope.notification} · batch {batch.number} · {pluralise(batch.size, 'recipient')}"
    lines = [paint.bold(head), f"{request.method} {request.url}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines += ["", strip_controls(json.dumps(shown, indent=2, ensure_ascii=False))]
    if hidden > 0:
        lines.append(
            paint.dim(
                f"… and {pluralise(hidden, 'more object')} in `to`; --reveal or --format json shows all"
            )
        )
    return "\n".join([*lines, ""])


def mask_body(body: Mapping[str, Any], batch: Batch) -> dict[str, Any]:
    """The body with every address masked: destinations, copies, and the recipient's own address in values."""
    field = batch.scope.channel.address_field
    hidden = dict(body)
    hidden["to"] = [mask_destination(entry, field) for entry in body["to"]]
    for copies in ("cc", "bcc"):
        if copies in hidden:
            hidden[copies] = [mask(address) for address in hidden[copies]]
    return hidden


def mask_destination(entry: Mapping[str, Any], field: str) -> dict[str, Any]:
    shown: Any = dict(entry)
    for address in entry[field]:
        if "substitutions" in shown:
            shown["substitutions"] = without(shown["substitutions"], address, mask(address))
    shown[field] = [mask(address) for address in entry[field]]
    return dict(shown)


def summary_line(requests: int, recipients: int) -> str:
    if not requests:
        return "Dry run: nothing to send."
    return f"Dry run: {pluralise(requests, 'request')} to {pluralise(recipients, 'recipient')}; nothing was sent."
