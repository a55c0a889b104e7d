"""What a request has beside content, options and recipients, as parts: what the provider checks, and settings."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.channels.parts import Fields, Kind, Part, fields_of

CHECKS = {"channelCheckConsent": "consent", "channelApplyFrequencyCap": "frequency cap"}


def describe_request(request: Fields) -> Iterator[Part]:
    if "contactPolicy" in request:
        yield from describe_policy(fields_of(request.take("contactPolicy")))
    yield from request.rest()


def describe_policy(policy: Fields) -> Iterator[Part]:
    """Recipients who fail the checks are not sent the message."""
    checks = [label for key, label in CHECKS.items() if policy.take(key) is True]
    group = policy.text("contactPolicyGroup")
    text = f"{' and '.join(checks) or 'nothing'}, group {group}"
    yield Part(Kind.SETTING, "contactPolicy", "the provider checks", text)
    yield from policy.rest("contactPolicy")
