"""Pages from templates: the environment, what every template may use, and the answer to send.

A page calls `render(request, "requests/list.html", {...})`. Who is looking, in which language and at what moment
comes from `request.state.visit`, put there at the edge; without one, the page is drawn for a stranger in the language
of the cookie. The layout needs nothing else, so error pages work when nothing else does.

Every template, and every macro it imports, may use:

- values: `visit`, `path` and `here` (with the query) of this request, `paths` (the layout's own addresses),
  `language`, `languages`; macros get none but `paths` and `languages`
- `_`, `ngettext`, `pgettext`, `{% trans %}`
- `url_for(route, **params)`, `here_with(**query)`, `static(file)`, `icon(name, label=None)`, `csrf_field()`,
  `csp_nonce()`
- `when(moment)` and `on(day)`: `<time>` elements
- filters, all in the language in force, all drawing `–` for None: `date`, `date_long`, `date_formal`,
  `date_numeric`, `date_typed` (Buddhist Era always), `time`, `datetime`, `month`, `month_short`, `fiscal_year`,
  `baht`, `signed_baht`, `quantity`, `percent`, `rate`, `words`, `filesize`, `working_time`, `elapsed_time`;
  and `thai_sorted(attribute)` for lists
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse

from portal import formats, i18n
from portal.frame import Actor, Contact, DemoClock, Flash, MenuGroup, MenuItem, OrganisationChoice, Visit
from portal.i18n import Lazy
from portal.i18n.catalogues import translations
from portal.icons import ICONS

__all__ = [
    "Actor", "Contact", "DemoClock", "Flash", "MenuGroup", "MenuItem", "OrganisationChoice", "Visit",
    "csp_nonce", "csrf_field", "draw", "error_page", "here_with", "icon", "render", "static", "url_for", "visit_of",
]  # fmt: skip

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
CSRF_FIELD: Final = "csrf"

PATHS: Final[Mapping[str, str]] = {
    "home": "/",
    "static": "/static/",
    "language": "/language/",  # + the language, ?next= the page to come back to
    "sign_in": "/sign-in",
    "sign_out": "/sign-out",  # POST
    "sign_out_everywhere": "/sign-out/everywhere",  # POST
    "account": "/account",
    "organisation": "/organisation",  # POST, field `organisation`: switch to another membership
    "notifications": "/news",
    "contact": "/contact",
    "clock": "/clock",
}

ERROR_STATUSES: Final = (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)


# Answers


def render(
    request: Request,
    name: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Draw a template for this visit; refuse, loudly, a name the context lacks (`UndefinedError`)."""
    return HTMLResponse(draw(request, visit_of(request), name, context), status, headers)


def error_page(
    request: Request,
    status: int,
    *,
    detail: str | Lazy | None = None,
    reference: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Draw the page of an error: what happened, what to do next, and the reference to quote to the help-desk.

    `detail` is a sentence that says more than the status does. A status without a page of its own gets that of 400
    or 500. When the portal itself is at fault, nothing of the visit is trusted but its language: no name, no menu.
    """
    page = status if status in ERROR_STATUSES else 400 if status < 500 else 500
    visit = visit_of(request)
    if page >= 500:
        visit = Visit(language=visit.language, nonce=visit.nonce, contact=visit.contact, reference=visit.reference)
    context = {"status": status, "detail": detail, "reference": reference or visit.reference}
    return HTMLResponse(draw(request, visit, f"errors/{page}.html", context), status, headers)


def visit_of(request: Request) -> Visit:
    """Return the visit the edge put on the request, or a stranger's in the language of their cookie."""
    known: Visit | None = getattr(request.state, "visit", None)
    if known is not None:
        return known
    language = i18n.language_of(request.cookies.get(i18n.LANGUAGE_COOKIE))
    return Visit(language=language, nonce=getattr(request.state, "nonce", ""))


def draw(request: Request, visit: Visit, name: str, context: Mapping[str, Any] | None = None) -> str:
    """Draw a template to text, for a visit."""
    frame = {
        "visit": visit,
        "path": request.url.path,
        "here": _address(request.url),
        "language": visit.language,
        "menu_here": _current_line(visit.menu, request.url.path),
    }
    with _drawing(request, visit):
        return templates.get_template(name).render({**frame, **(context or {})})


def _address(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path


def _current_line(menu: Iterable[MenuGroup], path: str) -> str | None:
    """Return the address of the menu's line this page stands under: the longest that begins the page's own."""
    lines = [item.url for group in menu for item in group.items]
    above = [url for url in lines if path == url or (url != "/" and path.startswith(f"{url.rstrip('/')}/"))]
    return max(above, key=len, default=None)


# What templates may use. Macros are imported without their page's context, so these find the visit by themselves.

_visit: ContextVar[tuple[Request, Visit]] = ContextVar("visit")


@contextmanager
def _drawing(request: Request, visit: Visit) -> Iterator[None]:
    token = _visit.set((request, visit))
    try:
        with i18n.using(visit.language):
            yield
    finally:
        _visit.reset(token)


def url_for(route: str, **params: object) -> str:
    """Return the path of a named route; refuse an unknown one (`NoMatchFound`)."""
    request, _ = _visit.get()
    return f"{request.scope.get('root_path', '')}{request.app.url_path_for(route, **params)}"


def here_with(**params: object) -> str:
    """Return this page's address with some of its query changed; None takes one away."""
    url = _visit.get()[0].url
    for name, value in params.items():
        url = url.remove_query_params(name) if value is None else url.include_query_params(**{name: value})
    return _address(url)


def static(file: str) -> str:
    """Return the address of a static file, with a mark of its content so that a changed file is fetched anew."""
    path = STATIC / file
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        return f"{PATHS['static']}{file}"  # a missing stylesheet must not cost the error page
    known = _marks.get(file)
    if known is None or known[0] != changed:
        known = _marks[file] = (changed, sha256(path.read_bytes()).hexdigest()[:12])
    return f"{PATHS['static']}{file}?v={known[1]}"


_marks: dict[str, tuple[int, str]] = {}


def icon(name: str, label: str | None = None, kind: str = "") -> Markup:
    """Draw an icon: hidden from screen readers unless labelled; refuse one the sprite does not hold (`KeyError`)."""
    if name not in ICONS:
        raise KeyError(f"no icon named {name!r}: add it to portal/icons.py")
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon{}" {} focusable="false"><use href="{}#tabler-{}"></use></svg>').format(
        f" {kind}" if kind else "", spoken, static("vendor/icons/sprite.svg"), name
    )


def csrf_field() -> Markup:
    """Draw the hidden field that every form which changes something carries."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, _visit.get()[1].csrf)


def csp_nonce() -> str:
    """Return the nonce that lets this answer's own scripts run."""
    return _visit.get()[1].nonce


def when(moment: datetime | None) -> str | Markup:
    """Draw a moment as a `<time>` element."""
    if moment is None:
        return formats.NOTHING
    return _time_element(moment.isoformat(), formats.date_time(moment, i18n.language()))


def on(day: date | None) -> str | Markup:
    """Draw a day as a `<time>` element."""
    if day is None:
        return formats.NOTHING
    return _time_element(formats.bangkok_date(day).isoformat(), formats.date_short(day, i18n.language()))


def _time_element(machine: str, person: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, person)


def _thai_sorted(rows: Iterable[Any], attribute: str | None = None) -> list[Any]:
    name = attrgetter(attribute) if attribute else str
    return sorted(rows, key=lambda row: formats.thai_sort_key(str(name(row))))


def _spoken(write: Callable[..., str]) -> Callable[..., str]:
    """Bind a format to the language in force, and let it draw None as a dash."""

    @pass_context  # keeps the compiler from drawing constants once, in whatever language it runs
    def filter_(_: Context, value: Any, *rest: Any) -> str:
        return formats.NOTHING if value is None else write(value, *rest, i18n.language())

    return filter_


def _figure(write: Callable[..., str]) -> Callable[..., str]:
    """Let a format that is alike in both languages draw None as a dash."""

    def filter_(value: Any, *rest: Any) -> str:
        return formats.NOTHING if value is None else write(value, *rest)

    return filter_


def _bytecode_cache() -> FileSystemBytecodeCache | None:
    try:
        return FileSystemBytecodeCache(pattern="__portal_%s.cache")
    except (OSError, RuntimeError):
        return None  # no private temporary folder: templates are compiled once per process instead


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        bytecode_cache=_bytecode_cache(),
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        lambda message: translations(i18n.language()).gettext(message),
        lambda singular, plural, number: translations(i18n.language()).ngettext(singular, plural, number),
        newstyle=True,
        pgettext=lambda context, message: translations(i18n.language()).pgettext(context, message),
    )
    environment.globals.update(
        paths=PATHS,
        languages=i18n.LANGUAGES,
        url_for=url_for,
        static=static,
        icon=icon,
        csrf_field=csrf_field,
        csp_nonce=csp_nonce,
        when=when,
        on=on,
        here_with=here_with,
    )
    environment.filters.update(
        date=_spoken(formats.date_short),
        date_long=_spoken(formats.date_long),
        date_numeric=_spoken(formats.date_numeric),
        date_typed=_figure(formats.date_numeric),
        time=_spoken(formats.clock_time),
        datetime=_spoken(formats.date_time),
        month=_spoken(formats.month_name),
        month_short=_spoken(formats.month_short),
        fiscal_year=_spoken(formats.fiscal_year_name),
        working_time=_spoken(formats.working_time),
        elapsed_time=_spoken(formats.elapsed_time),
        date_formal=_figure(formats.date_formal),
        baht=_figure(formats.baht),
        signed_baht=_figure(formats.signed_baht),
        quantity=_figure(formats.quantity),
        amount_of=_figure(formats.amount_of),
        unit_for=_figure(formats.unit_for),
        percent=_figure(formats.percent),
        rate=_figure(formats.rate),
        words=_figure(formats.baht_in_words),
        filesize=_figure(formats.file_size),
        thai_sorted=_thai_sorted,
    )
    return environment


templates: Final = _environment()
