"""Messages: compose a template once (Jinja2), substitute `$(name)` per recipient, and hash the result."""

from typing import TYPE_CHECKING, Any

from notifyctl.message.compose import VariantComposer, compose, position_finder, variant_for, variants
from notifyctl.message.substitute import Filler, find_placeholders, own_values, resolve_values

if TYPE_CHECKING:
    from notifyctl.message.delivery_hash import DeliveryHash, canonical_json, content_hash, texts_hash

__all__ = [
    "DeliveryHash",
    "Filler",
    "VariantComposer",
    "canonical_json",
    "compose",
    "content_hash",
    "find_placeholders",
    "own_values",
    "position_finder",
    "resolve_values",
    "texts_hash",
    "variant_for",
    "variants",
]


def __getattr__(name: str) -> Any:
    """Imports the delivery hash on first use: lint needs none, and OpenSSL is slow to load."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from notifyctl.message import delivery_hash

    return getattr(delivery_hash, name)
