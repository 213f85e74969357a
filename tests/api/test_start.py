"""The start of the server: what it need not import, it does not."""

import subprocess
import sys


def test_the_server_starts_without_the_libraries_of_the_imports() -> None:
    heavy = "{'pandas', 'geopandas', 'pyogrio', 'rasterio', 'folium', 'typst', 'docxtpl', 'xlsxwriter'}"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, api.main; print(sorted({heavy} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
