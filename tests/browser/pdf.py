"""The text of a PDF as Chromium (Skia) writes it: glyphs of each font back to letters by its ``ToUnicode`` map."""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\b(.*?)\bendobj", re.S)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.S)
_HEX = rb"<([0-9A-Fa-f]+)>\s*"
_CHAR, _RANGE = re.compile(_HEX * 2), re.compile(_HEX * 3)
_SHOWN = re.compile(rb"/F(\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>|\bT[jJ]\b")


def text_of(pdf: bytes) -> str:
    """Every letter in the order in which it is drawn; blanks between words are left out."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {}
    for number, body in objects.items():
        if named := re.search(rb"/ToUnicode (\d+) 0 R", body):
            fonts[number] = _letters(_unpacked(objects[int(named[1])]))
    found = []
    for body in objects.values():
        content = _unpacked(body)
        if b" Tf" not in content:
            continue
        letters: dict[int, str] = {}
        for font, glyphs in ((m[1], m[2]) for m in _SHOWN.finditer(content)):
            if font:
                letters = fonts.get(int(font), {})
            elif glyphs:
                codes = (int(glyphs[at : at + 4], 16) for at in range(0, len(glyphs) - 3, 4))
                found += [letters.get(code, "") for code in codes]
    return "".join(found).replace(" ", "").replace("\u00a0", "")


def _unpacked(body: bytes) -> bytes:
    packed = _STREAM.search(body)
    if packed is None:
        return b""
    if b"/FlateDecode" not in body:
        return packed[1]
    try:
        return zlib.decompress(packed[1])
    except zlib.error:
        return b""


def _letters(cmap: bytes) -> dict[int, str]:
    found = {}
    for part in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.S):
        for code, text in _CHAR.findall(part):
            found[int(code, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")  # a ligature is several
    for part in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.S):
        for first, last, letter in _RANGE.findall(part):
            for code in range(int(first, 16), int(last, 16) + 1):
                found[code] = chr(int(letter, 16) + code - int(first, 16))
    return found
