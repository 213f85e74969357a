"""The child that looks into one file, within bounds of memory and time: a bomb hurts nobody but itself.

``python -m cases.documents.examine FILE`` prints JSON: the format with its facts, or the code of what is wrong.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

from cases.documents.fault import FaultyFileError
from cases.file_format import Format, of_file

MEMORY = 1536 << 20
SECONDS = 20


def examine(path: Path) -> dict[str, Any]:
    """What a file is and what is in it; FaultyFileError where it cannot be taken."""
    found = of_file(path)
    if found == "ole":
        # Encrypted office files are stored in the container of the old ones.
        raise FaultyFileError("encrypted" if _sealed(path) else "unknown", found="ole")
    if not isinstance(found, Format):
        raise FaultyFileError("unknown", found=str(found))
    return {"format": found.value, "facts": _facts(path, found)}


def _sealed(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(1 << 20)
    return "EncryptedPackage".encode("utf-16-le") in head


def _facts(path: Path, found: Format) -> dict[str, Any]:
    match found:
        case Format.pdf:
            from cases.documents import pdf

            return pdf.facts(path)
        case Format.jpeg | Format.png | Format.tiff:
            from cases.documents import picture

            return picture.facts(path)
        case Format.docx | Format.xlsx | Format.odt | Format.zip:
            from cases.documents import package

            return package.facts(path, found)
        case Format.xml:
            return _xml(path)
    return {}


def _xml(path: Path) -> dict[str, Any]:
    """The root of a well-formed document without definitions of its own: entities are how XML swells."""
    from lxml import etree

    root = ""
    try:
        for _, element in etree.iterparse(
            str(path), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False
        ):
            if not root:
                root = etree.QName(element).localname
                if element.getroottree().docinfo.internalDTD is not None:
                    raise FaultyFileError("macros")
            elif element.getparent() is not None and len(element.getparent()) > 1000:
                element.clear()
    except (etree.XMLSyntaxError, ValueError) as err:
        raise FaultyFileError("damaged") from err
    return {"root": root[:100]}


def main() -> int:
    """Examine the file of the command line."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        answer = examine(Path(sys.argv[1]))
    except FaultyFileError as err:
        answer = {"fault": err.code, **err.facts}
    except (MemoryError, RecursionError):
        answer = {"fault": "bomb"}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
