"""Personal data, guessed by the names of columns and the look of their values; always to be confirmed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import polars as pl

from wholeroad.road.brief.source_contract import Personal
from wholeroad.road.data.profile import words_of

_SEEN: Final = 1_000
"""Different values of a column that are looked at."""

_MOSTLY: Final = 0.8

_SPECIAL: Final = frozenset(
    words_of(
        "diagnosis health disease disability religion ethnicity ethnic race union sexual orientation "
        "biometric genetic political medication icd"
    )
)
"""Words for what GDPR, article 9 (1), names."""

_PERSONAL: Final = frozenset(
    words_of(
        "email mail phone telephone tel mobile fax surname firstname lastname fullname address street "
        "birthdate birthday birth dob ssn iban passport taxid ip imei gender sex salary"
    )
)
_NAMED: Final = (
    {"first", "name"},
    {"last", "name"},
    {"full", "name"},
    {"family", "name"},
    {"customer", "name"},
    {"tax", "id"},
    {"date", "birth"},
    {"card", "number"},
    {"bank", "account"},
)
_PERSONS: Final = frozenset(
    words_of("customer client patient user person member employee subscriber passenger citizen student")
)
_KEYS: Final = frozenset({"id", "key", "no", "nr", "number", "uuid", "code", "hash"})

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_PHONE: Final = re.compile(r"(\+|00)\d[\d ()/.-]{6,18}\d")
_CARD: Final = re.compile(r"\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def guess_personal(column: pl.Series) -> tuple[Personal, str] | None:
    """Guess the class of personal data that a column holds, and say why; None where nothing hints at any.

    Values count before names: e-mail addresses, international telephone numbers, account numbers with right
    check digits (IBAN, ISO 13616: remainder 1 modulo 97) and card numbers with one (Luhn, ISO/IEC 7812-1).

    Examples
    --------
    >>> import polars as pl
    >>> guess_personal(pl.Series("contact", ["ann@example.org", "bob@example.org"]))
    ('personal', 'its values look like e-mail addresses')
    """
    if column.dtype == pl.String and (look := _look(column)):
        return "personal", f"its values look like {look}"
    words = {*words_of(column.name)}
    if hints := sorted(words & _SPECIAL):
        return "special", f"its name speaks of {hints[0]}"
    whole = "".join(words_of(column.name))
    if hints := sorted(words & _PERSONAL) or ([whole] if whole in _PERSONAL else []):
        return "personal", f"its name speaks of {hints[0]}"
    if any(each <= words for each in _NAMED):
        return "personal", "its name speaks of a person"
    if words & _PERSONS and (words & _KEYS or len(words) == 1):
        return "pseudonymous", "its name says that it stands for a person"
    return None


def _look(column: pl.Series) -> str:
    values = column.drop_nulls().head(20 * _SEEN).unique(maintain_order=True).head(_SEEN).to_list()
    if len(values) < 2:
        return ""
    for test, words in _TESTS:
        if sum(map(test, values)) >= _MOSTLY * len(values):
            return words
    return ""


def is_iban(text: str) -> bool:
    """Tell whether a text is an IBAN with right check digits.

    Examples
    --------
    >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB83 WEST 1234 5698 7654 32")
    (True, False)
    """
    packed = text.replace(" ", "").upper()
    if not _IBAN.fullmatch(packed):
        return False
    digits = "".join(str(int(sign, 36)) for sign in packed[4:] + packed[:4])
    return int(digits) % 97 == 1


def is_card(text: str) -> bool:
    """Tell whether a text is a card number with a right check digit.

    Examples
    --------
    >>> is_card("4539 1488 0343 6467"), is_card("4539 1488 0343 6468")
    (True, False)
    """
    if not _CARD.fullmatch(text.strip()):
        return False
    digits = [int(sign) for sign in re.sub(r"\D", "", text)]
    doubled = (
        digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(digits[::-1])
    )
    return sum(doubled) % 10 == 0


_TESTS: Final[tuple[tuple[Callable[[str], bool], str], ...]] = (
    (lambda text: bool(_EMAIL.fullmatch(text.strip())), "e-mail addresses"),
    (is_iban, "account numbers (IBAN)"),
    (is_card, "card numbers"),
    (lambda text: bool(_PHONE.fullmatch(text.strip())), "telephone numbers"),
)
