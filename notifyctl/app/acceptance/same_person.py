"""Whether two names may be of one person: addresses and accounts, linked by `policy.accept.people`. Pure.

In doubt they cannot be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from notifyctl.app.acceptance.authors import Author
from notifyctl.app.acceptance.identity import Acceptor
from notifyctl.model.acceptors import Person

ACCOUNT = re.compile(r"(?:\d+[+-])?([a-z0-9][a-z0-9._-]*(?:\[bot\])?)@users\.noreply\.(github|gitlab)\.com")
"""The address that GitHub and GitLab give to an account in commits, with its number in front or without; in lower case."""
BOT = "[bot]"


class Names(Struct, frozen=True):
    """The names of one person: addresses and accounts in lower case, and entries of `policy.accept.people`."""

    emails: frozenset[str] = frozenset()
    logins: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    forge: str | None = None
    """Where `logins` are accounts; None: wherever commits are."""

    def meets(self, other: Names) -> bool:
        return bool(self.emails & other.emails or self.logins & other.logins or self.people & other.people)

    def can_be_compared(self, other: Names) -> bool:
        """Whether both are named in the same way, so that different names are different people."""
        accounts = (
            self.logins and other.logins and (None in {self.forge, other.forge} or self.forge == other.forge)
        )
        return bool((self.people and other.people) or accounts or (self.emails and other.emails))


def is_unlisted_bot(names: Names, people: Iterable[Person]) -> bool:
    """Whether the author is a program for which no person answers."""
    listed = {login.casefold() for person in people for login in person.logins}
    return any(login.endswith(BOT) and login not in listed for login in names.logins)


def names_of_acceptor(acceptor: Acceptor) -> Names:
    emails, logins, _ = read_addresses(acceptor.emails)
    logins |= {login.casefold() for login in acceptor.logins}
    people = {acceptor.person} if acceptor.person is not None else set()
    return Names(frozenset(emails), frozenset(logins), frozenset(people), acceptor.forge)


def names_of_author(author: Author) -> Names:
    emails, logins, forge = read_addresses(filter(None, (author.email, author.mapped)))
    return Names(frozenset(emails), frozenset(logins), forge=forge)


def read_addresses(addresses: Iterable[str]) -> tuple[set[str], set[str], str | None]:
    """Addresses, the accounts that some of them stand for, and their forge."""
    emails, logins, forge = set(), set(), None
    for address in addresses:
        account = ACCOUNT.fullmatch(address.casefold())
        if account is not None:
            logins.add(account[1])
            forge = account[2]
        else:
            emails.add(without_tag(address.casefold()))
    return emails, logins, forge


def without_tag(address: str) -> str:
    """ada+work@acme.example is ada@acme.example: at most mail systems, and where it is not, another person must accept."""
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def with_people(names: Names, people: Iterable[Person]) -> Names:
    """With all names of the entries that have one of these names; entries may be linked by others."""
    entries = [
        Names(
            frozenset(without_tag(each.casefold()) for each in person.emails),
            frozenset(each.casefold() for each in person.logins),
            frozenset({person.name}),
        )
        for person in people
    ]
    while True:
        linked = [each for each in entries if names.meets(each)]
        if not linked:
            return names
        entries = [each for each in entries if each not in linked]
        for each in linked:
            names = Names(
                names.emails | each.emails,
                names.logins | each.logins,
                names.people | each.people,
                None if each.logins else names.forge,
            )
