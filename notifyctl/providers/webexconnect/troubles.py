"""How a request can fail to get an answer. Apart from what raises it, so that nothing of the network is loaded to know of it."""

from __future__ import annotations


class UnsentError(Exception):
    """There was no connection, so not a byte of the request was written. The message says why."""


class BrokenError(Exception):
    """It broke off, or took too long, and the request may have been read. The message says how."""


class HungUpError(BrokenError):
    """The other side closed the connection while we wrote; it may have answered before."""
