"""Which encoding a text file is in, and its text as UTF-8."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

_CHUNK = 1 << 20
_SAMPLE = 1 << 18
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŸŒŠŽ€£°«»‘’“”–—…·¿¡§©®º\xa0")
_HALF_WIDTH_RUN = re.compile("[\uff61-\uff9f]{2,}")


@dataclass(frozen=True)
class Encoding:
    """A codec of Python; `broken` bytes don't belong to it and are read as the replacement character."""

    name: str
    broken: bool = False

    @property
    def errors(self) -> str:
        return "replace" if self.broken else "strict"


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes, unpacked where its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def open_text(path: Path, encoding: Encoding) -> io.TextIOWrapper:
    """The file's lines, with their ends as they are."""
    return io.TextIOWrapper(open_bytes(path), encoding.name, encoding.errors, newline="")


def detect_encoding(path: Path) -> Encoding:
    """Byte-order mark, then zero bytes (UTF-16 without a mark), then UTF-8, then what the other bytes look like.

    The whole file is looked at: a table is often plain ASCII up to one name on its last page.
    """
    with open_bytes(path) as file:
        head = file.read(_SAMPLE)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Encoding(name)
    zeros = [head[parity::2].count(0) for parity in (0, 1)]
    if sum(zeros) > len(head) // 8:
        return Encoding("utf-16-le" if zeros[1] > zeros[0] else "utf-16-be")
    bad, good, sample = _utf8_evidence(path)
    if bad == 0:
        return Encoding("utf-8")
    if good > 20 * bad:
        return Encoding("utf-8", broken=True)
    return _legacy(path, sample)


def _utf8_evidence(path: Path) -> tuple[int, int, bytes]:
    """Stretches that are no UTF-8, characters beyond ASCII that are, and lines that hold bytes beyond ASCII."""
    bad = good = 0
    sample = bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with open_bytes(path) as file:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if chunk.isascii():
                continue
            broken = text.count("\ufffd")
            bad += broken
            good += len(text) - len(text.encode("ascii", "ignore")) - broken
            if len(sample) < _SAMPLE:
                sample += b"\n".join(line for line in chunk.splitlines() if not line.isascii())
    bad += decoder.decode(b"", final=True).count("\ufffd")
    return bad, good, bytes(sample[:_SAMPLE])


def _legacy(path: Path, sample: bytes) -> Encoding:
    """CP932, EUC-JP or a European code page, by how ordinary the characters are that the bytes would stand for."""
    lines = sample.splitlines()
    whole = b"\n".join(lines[:-1] if len(lines) > 1 else lines)  # the last may be cut within a character
    scores = {name: _japanese(whole, name) for name in ("euc_jp", "cp932")}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > 0.5:
        return Encoding(best, broken=not _decodes(path, best))
    western = whole.decode("cp1252", errors="replace")
    beyond = [char for char in western if ord(char) > 127]
    if sum(char in _WESTERN for char in beyond) >= 0.9 * len(beyond):
        return Encoding("cp1252", broken=not _decodes(path, "cp1252"))
    import charset_normalizer  # its tables take time to load, and few files need them

    match = charset_normalizer.from_bytes(whole).best()
    name = match.encoding if match is not None else "cp1252"
    return Encoding(name, broken=not _decodes(path, name))


def _japanese(data: bytes, name: str) -> float:
    """Share of everyday Japanese characters among those beyond ASCII, 0 where the bytes are not of the encoding."""
    text = data.decode(name, errors="replace")
    beyond = [char for char in text if ord(char) > 127]
    if not beyond or text.count("\ufffd") > 0.02 * len(beyond):
        return 0.0
    ordinary = sum(_everyday(char) for char in beyond)
    half_width = sum(len(run) for run in _HALF_WIDTH_RUN.findall(text))  # rarer than bytes of EUC-JP that look like it
    return (ordinary + 0.6 * half_width) / len(beyond)


def _everyday(char: str) -> bool:
    """Kana, full-width forms, or a kanji of the first level of JIS X 0208, which holds those in daily use."""
    if "\u3000" <= char <= "\u30ff" or "\uff01" <= char <= "\uff5e":
        return True
    try:
        code = char.encode("euc_jp")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0xB0 <= code[0] <= 0xCF


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    with open_bytes(path) as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def write_as_utf8(source: Path, encoding: Encoding, target: Path) -> None:
    """Copy a text file into UTF-8 without a mark, a chunk at a time, line ends as they are."""
    decoder = codecs.getincrementaldecoder(encoding.name)(encoding.errors)
    with open_bytes(source) as file, target.open("wb") as out:
        while chunk := file.read(_CHUNK):
            out.write(decoder.decode(chunk).encode("utf-8", "replace"))
        out.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
