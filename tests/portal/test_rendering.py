import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from jinja2 import UndefinedError
from starlette.routing import NoMatchFound

from portal import rendering
from portal.icons import ICONS
from portal.rendering import Flash, Visit
from tests.portal.sample_pages import CONTEXTS, NOW, request, sample, visit

TEMPLATES = rendering.HERE / "templates"


def drawn(source: str, seen: Visit | None = None, path: str = "/services/1", query: str = "", **context: object) -> str:
    seen = seen or visit()
    with rendering._drawing(request(path, query), seen):
        return rendering.templates.from_string(source).render(visit=seen, **context)


@pytest.mark.parametrize("name", sorted(CONTEXTS))
@pytest.mark.parametrize("language", ["th", "en"])
def test_every_part_draws_in_both_languages(name, language):
    page = sample(name, visit(language))
    assert f'<html lang="{language}">' in page
    assert ("เข้าสู่ระบบ" in page, "Skip to the content" in page) == (False, language == "en")


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_nothing_a_strict_policy_forbids_is_drawn(name):
    page = sample(name, visit())
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert not re.search(r"<[^>]+\son[a-z]+=", page)
    assert "javascript:" not in page
    scripts = re.findall(r"<script[^>]*>", page)
    assert len(scripts) == 2
    assert all('nonce="sample-nonce"' in script for script in scripts)


def test_ids_are_unique_and_every_reference_leads_somewhere():
    for name in CONTEXTS:
        page = sample(name, visit())
        ids = re.findall(r'\sid="([^"]*)"', page)
        assert len(ids) == len(set(ids))
        referred = " ".join(re.findall(r'\s(?:aria-describedby|aria-labelledby|for)="([^"]*)"', page)).split()
        assert set(referred) <= set(ids)


def test_what_people_typed_is_escaped():
    page = sample("form.html", visit())
    assert "&lt;ใหม่&gt;" in page
    assert "<b>ไม่ปลอดภัย</b>" not in page


def test_a_form_shows_what_was_typed_and_what_is_wrong_with_it():
    page = sample("form.html", visit())
    field = re.search(r'<input[^>]*id="field-quantity"[^>]*>', page)[0]
    assert 'value="๙,๙๙๙"' in field
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="field-quantity-hint field-quantity-error"' in field
    assert " required" in field
    assert 'value="16/12/2569"' in page
    assert page.count('name="csrf" value="sample-csrf"') == page.count('<form method="post"')


def test_a_name_the_context_lacks_is_refused():
    with pytest.raises(UndefinedError):
        drawn("{{ forgotten }}")


def test_formats_speak_the_language_of_the_visit():
    source = "{{ moment|datetime }} | {{ moment|month }} | {{ 2570|fiscal_year }} | {{ 615|working_time }}"
    assert drawn(source, moment=NOW) == (
        "4 ธ.ค. 2569 15:20 น. | ธันวาคม 2569 | ปีงบประมาณ พ.ศ. 2570 | 1 วันทำการ 2 ชม. 15 นาที"
    )
    assert drawn(source, visit("en"), moment=NOW) == (
        "4 Dec 2026 15:20 | December 2026 | Fiscal year 2570 B.E. | 1 working day 2 h 15 min"
    )


def test_figures_and_nothing():
    source = "{{ a|baht }} {{ a|signed_baht }} {{ a|quantity }} {{ a|percent(1) }} {{ none|baht }} {{ none|date }}"
    assert drawn(source, a=Decimal("1024.50")) == "1,024.50 +1,024.50 1,024.5 1,024.5\N{NO-BREAK SPACE}% – –"
    with pytest.raises(TypeError, match="float"):
        drawn("{{ a|baht }}", a=0.1)


def test_times_are_readable_by_machines():
    assert drawn("{{ when(moment) }}", moment=NOW) == (
        '<time datetime="2026-12-04T08:20:00+00:00">4 ธ.ค. 2569 15:20 น.</time>'
    )
    edge = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
    assert drawn("{{ on(moment) }}", moment=edge) == '<time datetime="2027-01-01">1 ม.ค. 2570</time>'


def test_thai_names_are_sorted_as_in_a_dictionary():
    assert drawn("{{ names|thai_sorted|join(' ') }}", names=["ขา", "แก", "กา", "เก"]) == "กา เก แก ขา"


def test_messages_in_templates_fill_their_places_and_escape_them():
    assert drawn('{{ _("VAT %(rate)s", rate=rate) }}', rate="<7 %>") == "ภาษีมูลค่าเพิ่ม &lt;7 %&gt;"


def test_addresses():
    assert drawn('{{ url_for("request", id="7") }}') == "/requests/7"
    with pytest.raises(NoMatchFound):
        drawn('{{ url_for("nowhere") }}')
    assert drawn("{{ here_with(page=3, sort=none) }}", path="/list", query="sort=name&q=ก&page=2") == (
        "/list?q=%E0%B8%81&amp;page=3"
    )
    assert drawn("{{ here_with(page=none) }}", path="/list", query="page=2") == "/list"


def test_static_files_are_named_by_their_content(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "STATIC", tmp_path)
    (tmp_path / "a.css").write_text("one")
    first = rendering.static("a.css")
    (tmp_path / "a.css").write_text("another")
    assert re.fullmatch(r"/static/a\.css\?v=[0-9a-f]{12}", first)
    assert rendering.static("a.css") != first
    assert rendering.static("missing.css") == "/static/missing.css"


def test_icons_are_hidden_unless_named():
    assert 'aria-hidden="true"' in drawn('{{ icon("home") }}')
    assert 'role="img" aria-label="หน้า &lt;หลัก&gt;"' in drawn('{{ icon("home", "หน้า <หลัก>") }}')
    with pytest.raises(KeyError, match="icons"):
        drawn('{{ icon("no-such-icon") }}')


def test_every_icon_named_in_a_template_is_in_the_sprite():
    named = {
        name
        for path in TEMPLATES.rglob("*.html")
        for call in re.findall(r"\bicon\(([^)]*)\)", path.read_text("utf-8"))
        for name in re.findall(r'"([a-z0-9-]+)"', call)
        if name not in {"done", "now", "next"}
    }
    assert named
    assert named - ICONS == set()


def test_the_menu_marks_the_line_the_page_stands_under():
    page = sample("parts.html", visit(), "/services/1/history")
    assert page.count('href="/services" aria-current="true"') == 2  # for wide and for narrow screens
    assert 'href="/services/change" aria-current' not in page
    assert sample("parts.html", visit(), "/services/change").count('href="/services/change" aria-current="page"') == 2
    assert sample("parts.html", visit(), "/").count('href="/" aria-current="page"') == 2


def test_the_header_offers_the_other_language_for_the_same_page():
    seen = visit("th", signed_in=False)
    page = rendering.draw(request("/costs", "month=2569-12", seen=seen), seen, "errors/404.html", no_error())
    assert 'href="/language/en?next=/costs%3Fmonth%3D2569-12"' in page


def test_the_header_shows_the_demo_clock_only_where_there_is_one():
    seen = visit()
    assert "นาฬิกาสาธิต" in sample("form.html", seen)
    seen.demo_clock = None
    assert "นาฬิกาสาธิต" not in sample("form.html", seen)


def test_a_person_of_one_organisation_is_offered_no_switch():
    seen = visit()
    assert 'action="/organisation"' in sample("form.html", seen)
    seen.organisations = seen.organisations[:1]
    assert 'action="/organisation"' not in sample("form.html", seen)


def no_error() -> dict[str, object]:
    return {"status": 404, "detail": None, "reference": ""}


@pytest.mark.parametrize("status", rendering.ERROR_STATUSES)
@pytest.mark.parametrize(("cookie", "language"), [("", "th"), ("lang=en", "en"), ("lang=xx", "th")])
def test_error_pages_need_no_session(status, cookie, language):
    answer = rendering.error_page(request(cookies=cookie), status, detail="<b>why</b>", reference="ab12")
    page = answer.body.decode()
    assert answer.status_code == status
    assert f'<html lang="{language}">' in page
    assert f"<strong>{status}</strong>" in page
    assert "<code>ab12</code>" in page
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    assert 'href="/"' in page


def test_statuses_without_a_page_of_their_own_borrow_one():
    teapot = rendering.error_page(request(), 418)
    assert teapot.status_code == 418
    assert "ไม่สามารถประมวลผลคำขอได้" in teapot.body.decode()
    assert rendering.error_page(request(), 504, headers={"retry-after": "5"}).headers["retry-after"] == "5"


def test_when_the_portal_is_at_fault_the_page_shows_nobody():
    seen = visit()
    refused = rendering.error_page(request(seen=seen), 403).body.decode()
    assert seen.actor.name in refused
    assert "3f9a1c2e" in refused
    failed = rendering.error_page(request(seen=seen), 500).body.decode()
    assert seen.actor.name not in failed
    assert "3f9a1c2e" in failed


def test_each_error_page_says_something_of_its_own():
    titles = {
        re.search(r"<h1>(.*?)</h1>", rendering.error_page(request(), status).body.decode())[1]
        for status in rendering.ERROR_STATUSES
    }
    assert len(titles) == len(rendering.ERROR_STATUSES)


def test_a_flash_is_shown_with_its_kind():
    seen = visit()
    seen.flashes = [Flash("warning", "ใกล้ครบกำหนด")]
    assert re.search(r'note-warning".*?ใกล้ครบกำหนด', sample("form.html", seen), re.DOTALL)
