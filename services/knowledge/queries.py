"""Finding knowledge articles: what to try first, and how the desk fixes it."""

import uuid

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from auth.errors import NotFound
from auth.rules import Actor, Permission
from services.knowledge.models import Article


def _readable(by: Actor) -> QuerySet[Article]:
    """Return the articles the actor may read: the desk its own too, everybody else the public ones."""
    standing = Article.filter(is_withdrawn=False)
    is_desk = by.provider_id is not None and by.may(Permission.INCIDENTS_READ)
    return standing.filter(provider_id=by.provider_id) if is_desk else standing.filter(is_public=True)


async def find_articles(
    text: str = "", *, row_code: str = "", provider_id: uuid.UUID | None = None, by: Actor, limit: int = 20
) -> list[Article]:
    """Return the articles that hold the text, or help with a row of the agreement, the latest first."""
    articles = _readable(by)
    if provider_id:
        articles = articles.filter(provider_id=provider_id)
    if row_code:
        articles = articles.filter(row_code__in=[row_code, ""])
    for word in text.split():
        articles = articles.filter(
            Q(title_th__icontains=word)
            | Q(title_en__icontains=word)
            | Q(text_th__icontains=word)
            | Q(text_en__icontains=word)
        )
    return await articles.order_by("-changed_at").limit(limit)


async def article(article_id: uuid.UUID, *, by: Actor) -> Article:
    """Return one article the actor may read; NotFound otherwise."""
    found = await _readable(by).filter(id=article_id).first()
    if found is None:
        raise NotFound("Article")
    return found
