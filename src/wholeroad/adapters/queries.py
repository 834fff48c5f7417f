"""What a source's query may be: one that reads."""

from __future__ import annotations

from typing import Final

from wholeroad.core.errors import UserError

_DIALECTS: Final = {"postgresql": "postgres", "sqlite": "sqlite"}


def checked_query(text: str, *, dialect: str, where: str) -> str:
    r"""Give a query back, without its last semicolon, if it is one SELECT and nothing else.

    Parameters
    ----------
    dialect
        ``postgresql`` or ``sqlite``.
    where
        The source's table in the brief.

    Raises
    ------
    UserError
        ``database.not-a-query``.

    Examples
    --------
    >>> checked_query("SELECT id FROM sales;", dialect="sqlite", where="[source.sales]")
    'SELECT id FROM sales\n'
    """
    import sqlglot
    from sqlglot import exp

    try:
        parsed = [each for each in sqlglot.parse(text, dialect=_DIALECTS[dialect]) if each is not None]
    except sqlglot.errors.SqlglotError as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _not_a_query(where, f"it could not be read as SQL: {first}") from None
    if len(parsed) != 1:
        raise _not_a_query(where, f"there were {len(parsed)} statements" if parsed else "there was none")
    query = parsed[0]
    if not isinstance(query, exp.Query):
        raise _not_a_query(where, f"it was {_verb(query)}")
    for node in query.walk():
        if isinstance(node, exp.DML | exp.DDL | exp.Command | exp.Into | exp.Lock) and not isinstance(
            node, exp.Query
        ):
            raise _not_a_query(where, f"{_verb(node)} stood in it")
    # A comment in the last line must not swallow what a driver puts behind the query.
    return text.strip().rstrip(";").rstrip() + "\n"


def _verb(node: object) -> str:
    return type(node).__name__.upper()


def _not_a_query(where: str, happened: str) -> UserError:
    return UserError(
        "database.not-a-query",
        f"{where}: read is no query",
        happened=happened,
        expected="one SELECT, which may begin with WITH; nothing that writes or locks",
        fix='write read = "SELECT ... FROM ..."',
    )
