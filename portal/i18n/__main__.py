"""`python -m portal.i18n` lists what is untranslated or wrong; `--write` adds the missing messages, still empty."""

import argparse
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po

from portal.i18n.catalogues import LOCALE, read
from portal.i18n.proofreading import extracted, findings, missing

HEADER = """\
msgid ""
msgstr ""
"Language: th\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"""


def as_po(lacking: list[Message]) -> str:
    """Write messages as entries of a .po file, ready to be translated."""
    catalog = Catalog(locale="th")
    for message in lacking:
        catalog[message.id] = Message(
            message.id, ("",) if isinstance(message.id, tuple) else "", context=message.context
        )
    text = BytesIO()
    write_po(text, catalog, width=0, omit_header=True)
    return text.getvalue().decode().strip()


def add(lacking: list[Message], path: Path) -> None:
    """Append messages to a .po file, and begin the file where there is none."""
    before = path.read_text(encoding="utf-8") if path.exists() else HEADER
    path.write_text(f"{before.rstrip()}\n\n{as_po(lacking)}\n", encoding="utf-8")


def main() -> int:
    """List or add what is missing; return 1 while anything is wrong."""
    arguments = argparse.ArgumentParser(prog="python -m portal.i18n", description=__doc__)
    arguments.add_argument("--write", action="store_true", help="add missing messages to their files, untranslated")
    write = arguments.parse_args().write
    for file, lacking in missing("th", extracted()).items():
        if write:
            add([message for message in lacking if _is_new(file, message)], LOCALE / "th" / file)
        print(f"# {file}\n{as_po(lacking)}\n")
    wrong = findings("th")
    for finding in wrong:
        if finding.fault != "missing":
            print(finding)
    print(f"{len(wrong)} to put right" if wrong else "Every message is translated.")
    return 1 if wrong else 0


def _is_new(file: str, message: Message) -> bool:
    path = LOCALE / "th" / file
    return not path.exists() or read(path).get(message.id, message.context) is None


if __name__ == "__main__":
    sys.exit(main())
