"""Dictionaries: every code has a whole label in both languages."""

from importlib.resources import files

import yaml


def test_every_code_has_a_russian_and_an_english_label() -> None:
    # In a flow mapping an unquoted comma ends the label: «отвал, шламохранилище» became «отвал».
    entries = yaml.safe_load(files("geo").joinpath("dictionaries.yaml").read_text("utf-8"))
    bad = {
        f"{name}.{code}": words
        for name, codes in entries.items()
        for code, words in codes.items()
        if set(words) != {"ru", "en"} or not all(isinstance(w, str) and w for w in words.values())
    }
    assert not bad
