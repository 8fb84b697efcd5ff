"""Pieces of texts: whatever stands in a text is found by its pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.store.grams import CHOSEN, LONGEST, WORDS, fold, grams, telling, words

TEXTS = st.text(alphabet="心脏支架ＡＢｃ①ßÉé-_/ 　%'\"*():019azIIT", max_size=60)


def test_pieces() -> None:
    assert grams("心脏支架") == {"心脏", "脏支", "支架"}
    assert grams("PI-12") == {"pi1", "i12"}
    assert grams("IIT-2026-0012") >= {"iit", "012", "iit202", "260012"}
    assert grams("A药", "b") == {"a药"}
    assert grams("", "  ") == set()


def test_what_is_too_short_has_no_pieces() -> None:
    assert [telling(word) for word in ("心", "12", "%", "a-b", '"', "")] == [[]] * 6
    assert telling("abc") == ["abc"]
    assert telling("a药") == ["a药"]


def test_a_long_word_is_asked_for_by_a_few_pieces() -> None:
    pieces = telling("iit-2026-0012")
    assert len(pieces) == CHOSEN
    assert "260012" in pieces


def test_words_are_folded_and_few() -> None:
    assert words("  ＩＩＴ　心脏 iit STRASSE straße ") == ("iit", "心脏", "strasse")
    assert len(words("a b c d e f g")) == WORDS
    assert len(words("长" * 1000)[0]) == LONGEST


@given(TEXTS, st.data())
def test_every_part_of_a_text_is_found_by_its_pieces(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    begin = data.draw(st.integers(0, len(folded)))
    part = folded[begin : data.draw(st.integers(begin, len(folded)))]
    for word in words(part):
        if word in folded:
            assert set(telling(word)) <= grams(text)


@given(TEXTS)
def test_pieces_are_letters_and_digits_only(text: str) -> None:
    assert all(piece.isalnum() and piece == fold(piece) for piece in grams(text))
