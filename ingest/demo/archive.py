"""Loading the archive of the demo region: every delivery through the pipeline, as known from its day."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from geo.session import connect
from ingest.demo import files
from ingest.demo.files import RegistryFile
from ingest.pipeline import Options, ingest
from ingest.profile import profile
from ingest.source import Source

SEED = 97
Say = Callable[[str], None]


def write(folder: Path, seed: int = SEED, factor: float = 1.0) -> list[RegistryFile]:
    """Write the registry files of a seed; ``factor`` is the share of the full area."""
    from ingest.demo.history import archive

    return files.write(archive(seed, factor), folder)


def load(url: str, written: list[RegistryFile], say: Say = lambda text: None) -> int:
    """Load files that are not loaded yet, oldest first; returns how many. ``url`` is the owner's."""
    loaded = 0
    for file in written:
        if _is_loaded(url, file):
            continue
        result = ingest(url, profile(file.profile), file.path, Options(moment=file.moment))
        loaded += 1
        say(
            f"{file.path.parent.name} {result.layer}: {result.counts['new']} new, {result.counts['changed']} changed"
        )
    return loaded


def _is_loaded(url: str, file: RegistryFile) -> bool:
    with connect(url) as connection:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM ingest.runs WHERE profile = %s AND sha256 = %s AND status = 'done')",
            [file.profile, Source.open(file.path).sha256],
        ).fetchone()
    return row == (True,)


def fill(
    url: str,
    say: Say = lambda text: None,
    *,
    seed: int = SEED,
    factor: float = 1.0,
    folder: Path | None = None,
) -> int:
    """Write and load the region; the files stay where a folder is given. Returns how many files were loaded."""
    if folder is not None:
        return load(url, write(folder, seed, factor), say)
    with TemporaryDirectory(prefix="mezha-demo-") as temporary:
        return load(url, write(Path(temporary), seed, factor), say)
