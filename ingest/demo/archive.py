"""Loading the archive of the demo region: every delivery through the pipeline, as known from its day."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from geo.session import connect
from ingest.demo import files
from ingest.demo.files import RegistryFile
from ingest.errors import RefusedError
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
    """Load files that are not loaded yet, oldest first; returns how many. ``url`` is the owner's.

    RefusedError where the database holds other registers: what they knew later must not be told earlier.
    """
    hashes = [Source.open(file.path).sha256 for file in written]
    done = _loaded(url)
    waiting = [
        file for file, sha256 in zip(written, hashes, strict=True) if (file.profile, sha256) not in done
    ]
    strange = done - {(file.profile, sha256) for file, sha256 in zip(written, hashes, strict=True)}
    if waiting and strange:
        raise RefusedError(
            f"The database holds {len(strange)} registry files that are not of this demo region.",
            "Load the demo region into an empty database, or write its files only: mezha demo --files-only.",
            value=str(len(strange)),
        )
    for file in waiting:
        result = ingest(url, profile(file.profile), file.path, Options(moment=file.moment))
        say(
            f"{file.moment:%Y-%m-%d} {result.layer}: {result.counts['new']} new, {result.counts['changed']} changed"
        )
    return len(waiting)


def _loaded(url: str) -> set[tuple[str, str]]:
    """Profile and hash of every file that the database holds."""
    with connect(url) as connection:
        rows = connection.execute("SELECT profile, sha256 FROM ingest.runs WHERE status = 'done'").fetchall()
    return {(str(name), str(sha256)) for name, sha256 in rows}


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
