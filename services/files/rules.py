"""What may be attached: told from the content, never from the name. Pure."""

import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from auth.errors import Invalid

LARGEST = 10 * 1024 * 1024
PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
_OFFICE = {
    "word/": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    "xl/": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "ppt/": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx"),
}
_EXTENSIONS = {PDF: ".pdf", PNG: ".png", JPEG: ".jpg"} | dict(_OFFICE.values())
_MOST_ENTRIES = 5000


class FileRefused(Invalid):
    """A file that cannot be attached, and why."""

    def __init__(self, why: str) -> None:
        super().__init__({"attachment": why})


@dataclass(frozen=True, slots=True)
class Given:
    """A file as somebody hands it in: nothing about it is believed yet."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: its kind told from its content, its name cleaned."""

    name: str
    media_type: str
    size: int
    sha256: str
    content: bytes

    def columns(self) -> dict[str, Any]:
        """Return it as the columns every table of files has."""
        return {name: getattr(self, name) for name in ("name", "media_type", "size", "sha256", "content")}


def checked(given: Given) -> Checked:
    """Return a file that may be kept; refuses (FileRefused) one that may not."""
    media_type = media_type_of(given.content)
    digest = hashlib.sha256(given.content).hexdigest()
    return Checked(clean_name(given.name, media_type), media_type, len(given.content), digest, given.content)


def sifted(given: Iterable[Given]) -> tuple[list[Checked], list[tuple[str, str]]]:
    """Return the files that may be kept, and the name and fault of each that may not.

    For mail and LINE: a message is heard also when what hangs on it is refused.
    """
    kept, refused = [], []
    for each in given:
        try:
            kept.append(checked(each))
        except FileRefused as fault:
            refused.append((visible_name(each.name)[:120] or "file", str(fault.fields["attachment"])))
    return kept, refused


def media_type_of(content: bytes) -> str:
    """Return the media type of a file by its content; refuse (FileRefused) what is empty, large or of another kind."""
    if not content:
        raise FileRefused("The file is empty.")
    if len(content) > LARGEST:
        raise FileRefused("The file is larger than 10 MB.")
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"PK\x03\x04"):
        return _office_type(content)
    raise FileRefused("Attach a PDF, an image (PNG, JPEG) or an Office file (DOCX, XLSX, PPTX).")


def clean_name(name: str, media_type: str) -> str:
    """Return a file name that can do no harm: no folders, no control characters, the extension of its kind."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", visible_name(name)).strip(" .")[:120]
    return (stem or "file") + _EXTENSIONS[media_type]


def visible_name(name: str) -> str:
    """Return a file's name without folders, control characters and what file systems forbid."""
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in base if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*')


def _office_type(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise FileRefused("The file is damaged.") from None
    if len(names) > _MOST_ENTRIES or "[Content_Types].xml" not in names:
        raise FileRefused("Attach a PDF, an image (PNG, JPEG) or an Office file (DOCX, XLSX, PPTX).")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRefused("Files with macros cannot be attached.")
    for folder, (media_type, _) in _OFFICE.items():
        if any(name.startswith(folder) for name in names):
            return media_type
    raise FileRefused("Attach a PDF, an image (PNG, JPEG) or an Office file (DOCX, XLSX, PPTX).")
