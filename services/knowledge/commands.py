"""Writing knowledge articles."""

import datetime as dt
import uuid

from auth.errors import Invalid, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, record
from services.knowledge.models import Article


async def write(
    title_th: str,
    text_th: str,
    *,
    title_en: str = "",
    text_en: str = "",
    row_code: str = "",
    is_public: bool = False,
    article_id: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
) -> Article:
    """Write an article, or with `article_id` write it anew; public ones are shown to who is about to report."""
    if by.provider_id is None or not by.may(Permission.KNOWLEDGE_EDIT):
        raise NotPermitted("articles are written by the desk")
    missing = {
        name: "Complete all fields."
        for name, text in (("title_th", title_th), ("text_th", text_th))
        if not text.strip()
    }
    if missing:
        raise Invalid(missing)
    article = await one(Article, lock=True, id=article_id) if article_id else Article(provider_id=by.provider_id)
    article.title_th, article.text_th, article.row_code = title_th.strip(), text_th.strip(), row_code
    article.title_en, article.text_en, article.is_public = title_en.strip(), text_en.strip(), is_public
    article.changed_by_name, article.changed_at = by.name, now
    await article.save(force_create=article_id is None)
    record("article.written", at=now, subject=("article", article.id), title=article.title_th)
    return article


async def withdraw(article_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Article:
    """Take an article back; it is shown no more."""
    if by.provider_id is None or not by.may(Permission.KNOWLEDGE_EDIT):
        raise NotPermitted("articles are written by the desk")
    article = await one(Article, lock=True, id=article_id)
    article.is_withdrawn, article.changed_by_name, article.changed_at = True, by.name, now
    await article.save()
    record("article.withdrawn", at=now, subject=("article", article.id))
    return article
