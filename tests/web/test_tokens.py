"""Colours of the design system: every text on every ground on which it stands is legible."""

import re
from itertools import product
from pathlib import Path

import pytest

import web

TOKENS = (Path(web.__file__).parent / "static" / "css" / "tokens.css").read_text("utf-8")
PAIRS = [
    *product(
        ("ink", "muted", "accent", "accent-strong", "error", "info", "warning"),
        ("paper", "surface", "sunken"),
    ),
    *product(("ink",), ("accent-soft", "warning-soft", "error-soft", "info-soft")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("accent-strong", "accent-soft"),
    ("focus-ink", "focus"),
]


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def sets() -> dict[str, dict[str, str]]:
    """The sets of the file; each builds on the light one."""
    blocks = dict(re.findall(r'^:root(?:\[data-theme="(\w+)"\])? \{(.*?)^\}', TOKENS, re.S | re.M))
    automatic = re.search(r"prefers-color-scheme: dark\) \{(.*?)^\}", TOKENS, re.S | re.M)
    assert automatic
    light = _colours(blocks[""])
    assert _colours(automatic[1]) == _colours(blocks["dark"])
    return {
        "light": light,
        "dark": light | _colours(blocks["dark"]),
        "contrast": light | _colours(blocks["contrast"]),
    }


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.requirement("N-32")
@pytest.mark.parametrize(("name", "least"), [("light", 4.5), ("dark", 4.5), ("contrast", 7.0)])
def test_every_text_is_legible_on_its_ground(name: str, least: float) -> None:
    colours = sets()[name]
    weak = {}
    for text, ground in PAIRS:
        high, low = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
        ratio = (high + 0.05) / (low + 0.05)
        if ratio < least:
            weak[f"{text} on {ground}"] = round(ratio, 2)
    assert not weak
