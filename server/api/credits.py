"""Credits: what is left, what came and went, and grants."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint
from pydantic import Field

from pipeline.errors import InvalidInput
from pipeline.store import credits
from server.contract import Answer, Body, Page, Paged, Text, Turn, api
from server.http import services

room = Blueprint("credits", __name__, url_prefix="/api/credits")

MOST = 1_000_000


class CreditAnswer(Answer):
    """A line of the ledger. `kind`: grant, charge or refund; charges are negative; `media_id` names the item."""

    id: int
    at: str
    kind: str
    credits: int
    media_id: int | None
    note: str


class CreditsAnswer(Page[CreditAnswer]):
    """`balance` is the sum of all lines."""

    balance: int


class GrantAnswer(CreditAnswer):
    """The new line, and the balance with it."""

    balance: int


class Grant(Body):
    """So many credits more; the note is for people."""

    credits: Annotated[int, Field(ge=1, le=MOST)]
    note: Annotated[Text, Field(max_length=200)] = ""


@room.get("")
@api(query=Paged, answers={200: CreditsAnswer})
def show(query: Paged) -> CreditsAnswer:
    """Says how many credits are left, and lists the ledger's lines, newest first."""
    before = cursor_of(query)
    with services().store.db.read() as session:
        found = credits.lines(session, before=before, limit=query.limit + 1)
        balance = credits.balance(session)
    shown = found[: query.limit]
    following = str(shown[-1].id) if len(found) > query.limit else None
    return CreditsAnswer(items=[CreditAnswer(**vars(one)) for one in shown], next=following, balance=balance)


@room.post("/grants")
@api(body=Grant, answers={201: GrantAnswer}, spends=True)
def grant(body: Grant, turn: Turn) -> GrantAnswer:
    """Grants credits."""
    parts = services()
    with parts.store.db.write(durable=True) as session:
        line = credits.grant(session, body.credits, body.note)
        answer = GrantAnswer(**vars(line), balance=credits.balance(session))
        turn.keep(session, answer)
    return answer


def cursor_of(query: Paged) -> int | None:
    """The id that a page of ids goes on below."""
    if query.cursor is None:
        return None
    if not (query.cursor.isascii() and query.cursor.isdigit() and len(query.cursor) < 19):
        raise InvalidInput("This cursor is not one that a list gave.", field="cursor")
    return int(query.cursor)
