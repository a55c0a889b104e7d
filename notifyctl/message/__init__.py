"""Messages: compose a template once (Jinja2), substitute `$(name)` per recipient, and hash the result."""

from notifyctl.message.compose import (
    VariantComposer,
    compose,
    locate_text,
    position_finder,
    variant_for,
    variants,
)
from notifyctl.message.delivery_hash import DeliveryHash, canonical_json, content_hash, texts_hash
from notifyctl.message.substitute import Filler, find_placeholders

__all__ = [
    "DeliveryHash",
    "Filler",
    "VariantComposer",
    "canonical_json",
    "compose",
    "content_hash",
    "find_placeholders",
    "locate_text",
    "position_finder",
    "texts_hash",
    "variant_for",
    "variants",
]
