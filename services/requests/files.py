"""What may be attached to a request: told from the content, never from the name. Pure."""

import io
import re
import unicodedata
import zipfile

from auth.errors import Invalid

LARGEST = 10 * 1024 * 1024
MOST_PER_REQUEST = 10
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
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(c for c in base if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*')
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", visible).strip(" .")[:120]
    return (stem or "file") + _EXTENSIONS[media_type]


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
