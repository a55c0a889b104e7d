"""Who: sources read as batches of columns, addresses normalised, duplicates and opt-outs set apart. No row stops another."""

from notifyctl.audience.addresses import mask
from notifyctl.audience.source import open_audience
from notifyctl.audience.suppressions import SuppressionLists

__all__ = ["SuppressionLists", "mask", "open_audience"]
