from pathlib import Path

import pytest

from portal import i18n
from portal.i18n import lazy, lazy_pgettext, using
from portal.i18n.catalogues import merged
from portal.i18n.proofreading import Finding, extracted, file_of, findings, missing


def test_every_message_is_translated_once_and_fits_its_places():
    assert [str(finding) for finding in findings("th")] == []


def test_the_language_in_force_decides():
    assert i18n.gettext("Sign in") == "เข้าสู่ระบบ"
    with using("en"):
        assert i18n.gettext("Sign in") == "Sign in"
        with using("th"):
            assert i18n.gettext("Sign in") == "เข้าสู่ระบบ"
        assert i18n.gettext("Sign in") == "Sign in"


def test_places_are_filled_and_counts_counted():
    assert i18n.ngettext("%(num)s record", "%(num)s records", 3) == "3 รายการ"
    assert i18n.gettext("Page %(page)s of %(pages)s", page=2, pages=7) == "หน้า 2 จาก 7"
    with using("en"):
        assert i18n.ngettext("%(num)s record", "%(num)s records", 1) == "1 record"
        assert i18n.ngettext("%(num)s record", "%(num)s records", 3) == "3 records"


def test_a_missing_place_is_an_error_not_a_gap():
    with pytest.raises(KeyError):
        i18n.gettext("Page %(page)s of %(pages)s", page=2)


def test_lazy_labels_speak_the_language_of_the_moment():
    label = lazy("Page %(page)s of %(pages)s", page=1, pages=2)
    assert f"{label}" == "หน้า 1 จาก 2"
    with using("en"):
        assert str(label) == "Page 1 of 2"
        assert str(lazy_pgettext("anything", "Words")) == "Words"


@pytest.mark.parametrize(
    ("choice", "language"), [("en", "en"), ("th", "th"), (None, "th"), ("EN", "th"), ("de", "th"), ("", "th")]
)
def test_anything_but_english_is_thai(choice, language):
    assert i18n.language_of(choice) == language


def test_messages_stand_in_the_file_of_their_page():
    assert file_of(Path("templates/requests/list.html")) == "requests.po"
    assert file_of(Path("pages/costs.py")) == "costs.po"
    assert file_of(Path("templates/_layout.html")) == "common.po"
    assert file_of(Path("templates/_macros/forms.html")) == "common.po"
    assert file_of(Path("menu.py")) == "common.po"


HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
)


def proofread(tmp_path: Path, source: str, **po: str) -> list[Finding]:
    pages = tmp_path / "source" / "templates" / "costs"
    pages.mkdir(parents=True)
    (pages / "list.html").write_text(source, "utf-8")
    folder = tmp_path / "locale"
    (folder / "th").mkdir(parents=True)
    for name, entries in po.items():
        (folder / "th" / f"{name}.po").write_text(HEADER + entries, "utf-8")
    return findings("th", tmp_path / "source", folder)


def test_a_message_without_a_translation_is_found(tmp_path):
    assert proofread(tmp_path, '{{ _("Costs") }}') == [Finding("missing", "costs.po", "Costs")]


def test_an_empty_translation_is_found(tmp_path):
    found = proofread(tmp_path, '{{ _("Costs") }}', costs='msgid "Costs"\nmsgstr ""\n')
    assert found == [Finding("missing", "costs.po", "Costs"), Finding("empty", "costs.po", "Costs")]


def test_a_fuzzy_translation_is_found(tmp_path):
    found = proofread(tmp_path, '{{ _("Costs") }}', costs='#, fuzzy\nmsgid "Costs"\nmsgstr "ค่า"\n')
    assert Finding("fuzzy", "costs.po", "Costs") in found


def test_a_translation_nobody_asks_for_is_found(tmp_path):
    found = proofread(tmp_path, "nothing", costs='msgid "Costs"\nmsgstr "ค่าใช้จ่าย"\n')
    assert found == [Finding("obsolete", "costs.po", "Costs")]


def test_places_that_differ_are_found(tmp_path):
    source = '{{ ngettext("%(num)s day of %(total)s", "%(num)s days of %(total)s", 2, total=3) }}{{ _("%(a)s!", a=1) }}'
    entries = (
        'msgid "%(num)s day of %(total)s"\nmsgid_plural "%(num)s days of %(total)s"\nmsgstr[0] "%(num)s วัน"\n\n'
        'msgid "%(a)s!"\nmsgstr "%(a)s 100%"\n'
    )
    assert proofread(tmp_path, source, costs=entries) == [
        Finding("places differ", "costs.po", "%(num)s day of %(total)s"),
        Finding("stray per cent sign", "costs.po", "%(a)s!"),
    ]


def test_two_translations_of_one_message_are_found(tmp_path):
    found = proofread(
        tmp_path,
        '{{ _("Costs") }}',
        common='msgid "Costs"\nmsgstr "ค่าใช้จ่าย"\n',
        costs='msgid "Costs"\nmsgstr "ค่าบริการ"\n',
    )
    assert found == [Finding("translated differently elsewhere", "costs.po", "Costs")]
    assert merged("th", tmp_path / "locale").get("Costs").string == "ค่าใช้จ่าย"


def test_the_source_is_really_read():
    nothing_translated = missing("th", extracted(), Path("nowhere"))
    assert "Clear filters" in [message.id for message in nothing_translated["common.po"]]
    assert "errors.po" in nothing_translated
