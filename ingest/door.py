"""One door for every registry file: a profile of a layer or of a reference list, by name or by path."""

from pathlib import Path

from ingest import pipeline, reference_profile, references
from ingest.errors import ProfileError
from ingest.pipeline import Options, Result
from ingest.profile import Profile, built_in, profile, read_yaml
from ingest.reference_profile import ReferenceProfile


def find(name: str) -> Profile | ReferenceProfile:
    """The profile of that name or in that YAML file; ProfileError names the ones there are."""
    if name in reference_profile.built_in():
        return reference_profile.built_in()[name]
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        text = path.read_text("utf-8")
        document = read_yaml(text, name)
        if isinstance(document, dict) and document.get("kind") == "reference":
            return reference_profile.parse(text, name)
    try:
        return profile(name)
    except ProfileError as err:
        if path.suffix in (".yaml", ".yml"):
            raise
        known = ", ".join([*built_in(), *reference_profile.built_in()])
        raise ProfileError(
            err.message,
            f"The profiles are: {known}; a path of a YAML file works too.",
            field="profile",
            value=name[:60],
        ) from err


def ingest(url: str, found: Profile | ReferenceProfile, path: Path, options: Options | None = None) -> Result:
    """Run a file under its profile; MezhaError refuses it and changes nothing."""
    if isinstance(found, ReferenceProfile):
        return references.ingest(url, found, path, options)
    return pipeline.ingest(url, found, path, options)
