"""The paper of a decision: its template and its facts become PDF/A."""

import json
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import segno

TEMPLATES = Path(str(files("cases.decisions").joinpath("templates")))


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """The fonts that typst brings along: the same paper comes from every machine."""
    import typst

    return typst.Fonts(include_system_fonts=False)


def compiled(template: str, content: dict[str, Any]) -> bytes:
    """PDF/A-2b of a template with its content. Blocks: call it in a thread."""
    import typst

    # A compiler is not for two threads at once; making one costs a millisecond.
    compiler = typst.Compiler(root=str(TEMPLATES), font_paths=_fonts(), ignore_system_fonts=True)
    pdf: Any = compiler.compile(
        str(TEMPLATES / f"{template}.typ"),
        sys_inputs={"decision": json.dumps(content, ensure_ascii=False)},
        pdf_standards=["a-2b"],
    )
    return bytes(pdf)


def blank() -> bytes:
    """An empty page, made as papers are: it loads what they need."""
    import typst

    return bytes(
        typst.compile(b"#set page(width: 1cm, height: 1cm)\nx", font_paths=_fonts(), pdf_standards=["a-2b"])
    )


def qr(address: str) -> str:
    """The QR code of an address as SVG."""
    out = BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", xmldecl=False, border=1, scale=4)
    return out.getvalue().decode()
