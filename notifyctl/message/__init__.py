"""From a template to what one person reads: compose once (Jinja2), substitute per recipient (`$(name)`), hash for identity."""

from notifyctl.message.compose import compose, variant_for, variants, written_in
from notifyctl.message.identity import DeliveryHash, canonical, content_hash, texts_hash
from notifyctl.message.substitute import Filler, own_values, placeholders, resolve

__all__ = [
    "DeliveryHash",
    "Filler",
    "canonical",
    "compose",
    "content_hash",
    "own_values",
    "placeholders",
    "resolve",
    "texts_hash",
    "variant_for",
    "variants",
    "written_in",
]
