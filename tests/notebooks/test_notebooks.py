"""Every notebook runs from its first cell to its last over the demo region, and is kept without its outputs."""

import html
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from geo.settings import Settings
from geo.spatial.conflicts import settle_at

FOLDER = Path(__file__).parent.parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert not any(c.get("outputs") or c.get("execution_count") for c in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs(path: Path, demo_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZHA_DATABASE_URL", demo_settings.database_url)
    settle_at(demo_settings.url_for("registrar"))
    monkeypatch.setenv("MEZHA_APP_DATABASE_URL", demo_settings.app_database_url)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
    shown = [o for c in notebook.cells for o in c.get("outputs", [])]
    assert not [o for o in shown if o.output_type == "stream" and o.name == "stderr"], shown
    pages = [o["data"]["text/html"] for o in shown if "text/html" in o.get("data", {})]
    maps = [page for page in pages if "leaflet" in page]
    assert len(maps) == 1
    # An office without internet sees the map too: nothing in the page is fetched.
    fetched = r"""<(?:script|link|img)\b[^>]*\b(?:src|href)=["']https?:"""
    assert not re.search(fetched, html.unescape(maps[0]))
    assert "L.geoJson" in maps[0]
