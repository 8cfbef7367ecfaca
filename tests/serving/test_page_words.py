"""The words of pages: the same in both languages, all of them used, none of them empty."""

from __future__ import annotations

import re
import string
from functools import cache
from pathlib import Path

import pytest

import serving
from features.wording import LANGS, Lang
from serving.page_words import all_words, word_files, words

SERVING = Path(next(iter(serving.__path__)))


def fields_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@cache
def literals() -> tuple[frozenset[str], tuple[str, ...]]:
    """Dotted texts in the code and the templates: whole keys, and beginnings of keys whose end is computed."""
    sources = [*SERVING.rglob("*.py"), *SERVING.rglob("*.html")]
    text = "\n".join(each.read_text(encoding="utf-8") for each in sources)
    whole = re.findall(r"""["']([a-z_]+(?:\.[A-Za-z0-9_]+)+)["']""", text)
    begun = re.findall(r"""["']([a-z_]+(?:\.[A-Za-z0-9_]+)*\.)(?:\{|["'])""", text)
    begun += re.findall(r"""["']([a-z_]+(?:\.[A-Za-z0-9_]+)*\.[A-Za-z0-9_]*_)\{""", text)
    return frozenset(whole), tuple(set(begun))


def test_both_languages_have_the_same_files_and_keys() -> None:
    files = {lang: {name.removesuffix(f".{lang}.toml") for name in word_files(lang)} for lang in LANGS}
    assert files["en"] == files["ja"]
    assert set(all_words("en")) == set(all_words("ja"))


def test_a_text_takes_the_same_values_in_both_languages() -> None:
    for key, english in all_words("en").items():
        if key.endswith((".one", ".other")):  # "1 lead" need not spell {n}
            continue
        assert fields_of(english) == fields_of(all_words("ja")[key]), key


@pytest.mark.parametrize("lang", LANGS)
def test_no_text_is_empty_or_has_blanks_around_it(lang: Lang) -> None:
    for key, text in all_words(lang).items():
        assert text.strip(), key
        assert text.strip() == text or not re.search(r"\w", text), f"{key}: only what separates others has blanks"


def test_a_plural_has_both_forms_and_takes_the_same_values_but_the_number() -> None:
    for lang in LANGS:
        plurals = {key.removesuffix(".one") for key in all_words(lang) if key.endswith(".one")}
        for stem in plurals:
            one, other = (all_words(lang)[f"{stem}.{form}"] for form in ("one", "other"))
            assert fields_of(one) - {"n"} == fields_of(other) - {"n"}, stem


def test_every_text_is_used_somewhere() -> None:
    whole, begun = literals()
    unused = [
        key
        for key in all_words("en")
        if key not in whole
        and not (key.endswith((".one", ".other")) and key.rpartition(".")[0] in whole)
        and not key.startswith(begun)
    ]
    assert unused == []


def test_japanese_texts_are_japanese() -> None:
    for key, text in all_words("ja").items():
        if text == all_words("en")[key]:
            assert not re.search(r"[a-z]{3}", re.sub(r"\{[^}]*\}|\w+\.toml", "", text)), key


def test_a_number_is_written_as_people_write_it_and_chooses_the_form() -> None:
    key = next(key.removesuffix(".one") for key in all_words("en") if key.endswith(".one"))
    values = dict.fromkeys(fields_of(all_words("en")[f"{key}.other"]), "x")
    assert "1,234" in words(key, "en", **(values | {"n": 1234}))


def test_a_key_that_is_not_there_is_a_fault_of_the_caller() -> None:
    with pytest.raises(KeyError, match="no text"):
        words("page.none", "en")
