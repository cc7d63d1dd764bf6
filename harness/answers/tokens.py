"""Words and marks of a reply. Words of other languages that do a job (not, but, or) become the
English word for it; Chinese, Japanese and Korean are parted into the words that are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.answers.pattern import pattern
from harness.answers.speech import Speech, unspaced
from harness.answers.table import LabelTable

_TOKEN = pattern(r"\d+(?:\.\d+)?(?![^\W_])|[^\W_]+(?:'[^\W_]+)*|\n|[^\w\s]")
_HYPHEN = pattern(r"(?<=[^\W_])-(?=[^\W_])")
_WIDEST = 10


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark."""

    word: str
    start: int
    end: int


def tokens_of(
    text: str, table: LabelTable | None = None, speech: Speech | None = None
) -> list[Token]:
    """Words, marks and line ends; hyphens inside words part them."""
    joined = _HYPHEN.sub(" ", text)
    if speech is not None and speech.elision is not None and "'" in joined:
        joined = speech.elision.sub(lambda m: m.group()[:-1] + " ", joined)
    found = [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(joined)]
    if table is None or speech is None:
        return found
    if not text.isascii():
        found = [t for token in found for t in _parted(token, table.pieces, speech)]
    return found


def in_english(tokens: Sequence[Token], table: LabelTable, speech: Speech) -> list[Token]:
    """The tokens with the function words of the other languages in English; labels stay."""
    if len(speech.languages) == 1:
        return list(tokens)
    found: list[Token] = []
    index, count = 0, len(tokens)
    while index < count:
        token = tokens[index]
        size = _longest(tokens, index, table.phrases.get(token.word, ()))
        if size:
            found += tokens[index : index + size]
            index += size
            continue
        size = _longest(tokens, index, speech.operators.get(token.word, ()))
        if not size:
            found.append(token)
            index += 1
            continue
        words = next(
            english
            for written, english in speech.operators[token.word]
            if len(written) == size and _at(tokens, index, written)
        )
        end = tokens[index + size - 1].end
        found += [Token(word, token.start, end) for word in words]
        index += size
    return found


def _longest(
    tokens: Sequence[Token], index: int, phrases: Sequence[tuple[tuple[str, ...], object]]
) -> int:
    return next((len(words) for words, _ in phrases if _at(tokens, index, words)), 0)


def _at(tokens: Sequence[Token], index: int, words: tuple[str, ...]) -> bool:
    if len(words) == 1:
        return True
    return tuple(t.word for t in tokens[index : index + len(words)]) == words


def _parted(token: Token, pieces: frozenset[str], speech: Speech) -> Iterator[Token]:
    """The known words of a run without blanks; characters that are in none stand alone."""
    word = token.word
    if word.isascii() or not any(map(unspaced, word)):
        yield token
        return
    index, count, fresh = 0, len(word), True
    while index < count:
        korean = "\uac00" <= word[index] <= "\ud7a3"
        size = 1
        if not unspaced(word[index]):
            while index + size < count and not unspaced(word[index + size]):
                size += 1
            fresh = True
        else:
            known = 0
            for length in range(min(_WIDEST, count - index), 0, -1):
                piece = word[index : index + length]
                if piece not in pieces:
                    continue
                # In Korean a class stands at the beginning of a word and a particle at its end.
                particle = piece in speech.joined
                if korean and (not fresh if not particle else index == 0 and length < 2 < count):
                    continue
                known = length
                break
            size = known or 1
            fresh = bool(known)
        yield Token(word[index : index + size], token.start + index, token.start + index + size)
        index += size
