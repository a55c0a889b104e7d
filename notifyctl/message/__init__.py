"""Messages: compose a template once (Jinja2), substitute `$(name)` per recipient, and hash the result."""

from typing import TYPE_CHECKING, Any

from notifyctl.message.compose import VariantComposer, compose, locale_of, variant_for, variants
from notifyctl.message.substitute import Filler, own_values, placeholders, resolve

if TYPE_CHECKING:
    from notifyctl.message.delivery_hash import DeliveryHash, canonical, content_hash, texts_hash

__all__ = [
    "DeliveryHash",
    "Filler",
    "VariantComposer",
    "canonical",
    "compose",
    "content_hash",
    "locale_of",
    "own_values",
    "placeholders",
    "resolve",
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
