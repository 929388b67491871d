"""Knowledge articles: what to try first, and to the desk how it fixes things."""

from collections.abc import Mapping

from starlette.responses import Response

from auth.errors import Invalid
from auth.rules import Permission
from portal.i18n import gettext as _
from portal.pages.incidents import wording
from portal.pages.incidents.entering import prose
from portal.refusals import in_words
from portal.visit import Visit
from services.knowledge.commands import withdraw, write
from services.knowledge.models import Article
from services.knowledge.queries import article, find_articles
from services.sla.queries import table_at


async def index(visit: Visit) -> Response:
    """Show the articles the visitor may read, those that hold the text searched for."""
    text = visit.query.get("q")[:100]
    return visit.render(
        "knowledge/index.html",
        articles=await find_articles(text, by=visit.by, limit=50),
        text=text,
        may_edit=visit.by.may(Permission.KNOWLEDGE_EDIT),
        title_of=lambda thing: wording.title(thing, visit.language),
    )


async def show(visit: Visit) -> Response:
    """Show one article; the desk's own are NotFound for everybody else."""
    return visit.render(
        "knowledge/show.html",
        article=await article(visit.params["id"], by=visit.by),
        may_edit=visit.by.may(Permission.KNOWLEDGE_EDIT),
        title_of=lambda thing: wording.title(thing, visit.language),
        text_of=lambda thing: wording.text(thing, visit.language),
    )


async def new(visit: Visit) -> Response:
    """Show the form of a new article."""
    return await _form(visit, None, {})


async def edit(visit: Visit) -> Response:
    """Show the form of an article."""
    found = await article(visit.params["id"], by=visit.by)
    names = ("title_th", "title_en", "text_th", "text_en", "row_code")
    values = {name: getattr(found, name) for name in names} | {"public": "yes" if found.is_public else ""}
    return await _form(visit, found, values)


async def save(visit: Visit) -> Response:
    """Write an article, new or anew."""
    form, article_id = visit.form, visit.params.get("id")
    try:
        written = await write(
            form.get("title_th")[:200],
            prose(form, "text_th"),
            title_en=form.get("title_en")[:200],
            text_en=prose(form, "text_en"),
            row_code=form.get("row_code")[:16],
            is_public=form.get("public") == "yes",
            article_id=article_id,
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        found = await article(article_id, by=visit.by) if article_id else None
        return await _form(visit, found, form.values(), in_words(refused), status=422)
    visit.flash(_("The article was saved."))
    return visit.redirect("article", id=written.id)


async def take_back(visit: Visit) -> Response:
    """Withdraw an article."""
    await withdraw(visit.params["id"], by=visit.by, now=visit.now)
    visit.flash(_("The article was withdrawn."))
    return visit.redirect("knowledge")


async def _form(
    visit: Visit,
    found: Article | None,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    rows = await table_at(visit.by.provider_id, visit.now) if visit.by.provider_id else []
    return visit.render(
        "knowledge/edit.html",
        status=status,
        article=found,
        values=values,
        errors=errors or {},
        rows=wording.by_category(rows, visit.language),
        title_of=lambda thing: wording.title(thing, visit.language),
    )
