"""Files that people hand in and fetch: read from a form, sent to be saved, never shown in place."""

from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from auth.errors import Invalid
from portal.i18n import lazy
from portal.visit import Fields
from services.files.models import KeptFile
from services.files.rules import LARGEST, Given

MOST_AT_ONCE: Final = 5
_AROUND = 64 * 1024  # what a form puts around its files
ONE_FILE: Final = LARGEST + _AROUND
SEVERAL_FILES: Final = 2 * LARGEST + _AROUND  # bytes, all of a form's files together

REASONS: Final = (
    lazy("The file is empty."),
    lazy("The file is larger than 10 MB."),
    lazy("The file is damaged."),
    lazy("Files with macros cannot be attached."),
    lazy("Attach a PDF, an image (PNG, JPEG) or an Office file (DOCX, XLSX, PPTX)."),
    lazy("At most five files can be sent at once."),
)


async def given(form: Fields, name: str = "attachment") -> list[Given]:
    """Return the files of a form with their content; refuses (Invalid) more than five."""
    if len(form.files(name)) > MOST_AT_ONCE:
        raise Invalid({name: "At most five files can be sent at once."})
    files = []
    for each in form.files(name):
        await each.seek(0)  # the unit of work may run again
        files.append(Given(each.filename or "", await each.read()))
    return files


def to_be_saved(file: KeptFile) -> Response:
    """Send a file to be saved; browsers are told not to show it."""
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return Response(file.content, media_type=file.media_type, headers=headers)
