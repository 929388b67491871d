"""What is new in a mail, apart from the history it quotes; and the text of one written in HTML."""

import re

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

_BLOCKS = frozenset(
    "address article blockquote div dl dt dd footer h1 h2 h3 h4 h5 h6 header li ol p pre section table tr ul".split()  # noqa: SIM905 - a list of forty quotes reads worse
)
_UNSEEN = ("script", "style", "head", "title", "template", "noscript")
_QUOTES = (
    "blockquote, .gmail_quote, .gmail_quote_container, .yahoo_quoted, #divRplyFwdMsg, #appendonsend, .moz-cite-prefix"
)
# Where the history begins, as mail programs write it in Thai and English.
_BEGINS = (
    re.compile(r"^-{2,}\s*(original message|forwarded message|ข้อความต้นฉบับ|ข้อความที่ส่งต่อ)\s*-{2,}$", re.IGNORECASE),
    re.compile(r"^on\s.{6,200}\bwrote:$", re.IGNORECASE | re.DOTALL),
    re.compile(r"^(ใน\s?วันที่|เมื่อ)\s?.{6,200}(เขียนว่า|เขียน):?$", re.DOTALL),
    re.compile(r"^_{10,}$"),
)
_HEADS = re.compile(r"^\*?(from|จาก|sent|ส่ง|ส่งเมื่อ|วันที่|date|to|ถึง|subject|เรื่อง|หัวเรื่อง)\s*:\*?\s*\S", re.IGNORECASE)


def without_history(text: str) -> str:
    """Return what a mail says before the history it quotes; all of it where nothing else is left."""
    lines = text.splitlines()
    end = next((place for place in range(len(lines)) if _begins(lines, place)), len(lines))
    new = [line for line in lines[:end] if not line.lstrip().startswith(">")]
    return "\n".join(new).strip() or text.strip()


def _begins(lines: list[str], place: int) -> bool:
    line = lines[place].strip()
    if not line:
        return False
    two = f"{line}\n{lines[place + 1].strip()}" if place + 1 < len(lines) else line
    if any(sign.match(line) or sign.match(two) for sign in _BEGINS):
        return True
    heads = [bool(_HEADS.match(each.strip())) for each in lines[place : place + 4]]
    return place > 0 and heads[0] and sum(heads) >= 3


def from_html(source: str, *, with_quotes: bool = True) -> str:
    """Return the text of a mail written in HTML, line by line, without what nobody sees."""
    try:
        soup = BeautifulSoup(source, "html.parser")
        for unseen in soup(_UNSEEN) + ([] if with_quotes else soup.select(_QUOTES)):
            unseen.decompose()
        pieces = [_piece(node) for node in soup.descendants]
    except RecursionError:
        pieces = [re.sub(r"<[^>]*>", " ", source)]
    lines = (" ".join(line.split()) for line in "".join(pieces).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _piece(node: object) -> str:
    if type(node) is NavigableString:
        return re.sub(r"\s+", " ", node)
    if isinstance(node, Tag) and (node.name in _BLOCKS or node.name == "br"):
        return "\n"
    return ""
