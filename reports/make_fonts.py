"""Which characters can the HTML report show?  Cuts its four fonts out of the ones that the Typst wheel carries.

Run once, by hand, when a character is missing (`pip install fonttools brotli typst`):

    python reports/make_fonts.py

The subsets are written to verify/report/templates/ and committed.  A subset made from the characters of one text is
too small: radicals, fences, braces and accents are drawn from glyphs that no text contains, so whole ranges are kept.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import typst
from fontTools import subset
from fontTools.ttLib import TTFont

TEMPLATES = Path(__file__).resolve().parent.parent / "verify" / "report" / "templates"


def characters(ranges: str) -> list[int]:
    """Code points from lines such as `20-7e a0 b1`."""
    ends = [part.split("-") for part in ranges.split()]
    return [code for pair in ends for code in range(int(pair[0], 16), int(pair[-1], 16) + 1)]


LETTERS = characters("20-7e a0-ff 100-107 10c-11b 131 139-148 150-15b 160-161 16e-171 179-17e 237")
GREEK = characters("391-3a1 3a3-3a9 3b1-3c9 3d1 3d5 3d6 3f5")
RAISED = characters("2070 2071 2074-208e")
POINTS = characters("2010-2016 2018-201e 2020-2022 2026 2032-2034 2039 203a 2044")
SIGNS = characters("2190-2194 21d2 21d4 2202 2206-2208 220f 2211 2212 2219 221a 221e 222b 2248 2260 2264 2265 22c5")

TEXT = LETTERS + GREEK + RAISED + POINTS + SIGNS

MATHEMATICS = characters(
    """
    20-7e a0 a7 a8 ac af b0 b1 b4 b5 b7 d7 f7 131 237 2c6 2c7 2d8-2dd 300-30c 332 333 338
    391-3a9 3b1-3c9 3d1 3d5 3d6 3f0 3f1 3f5 2010-2016 2018-201d 2020-2022 2026 2032-2034 203e 2044 2057 2061-2064
    20d0-20d2 20d6 20d7 20db 20dc 20e1 2102 210b 210c 210e-2113 2115 2118-211d 2124 212c 2130-2133
    2190-219a 21a6 21aa 21cc 21d0-21d5 2200-2213 2215-221e 2220-222e 2234 2235 223c 2240 2243-2248 224d 2250 2254 2255
    2260-2262 2264 2265 2268-226f 227a 227b 2282-2289 2295-2299 22a4 22a5 22c0-22c5 22ee-22f1 2308-230b 23b4 23b5
    23dc-23df 25a1 25cb 25ef 27e8 27e9 27f5-27fa 2a00-2a02 2a0c 2a7d 2a7e 2aaf 2ab0
    1d400-1d467 1d49c-1d4b5 1d538-1d56b 1d6a4-1d755 1d7ce-1d7d7 fe00
    """
)
SMALL_FORMS = set(characters("28 29 2b 30-39 2032-2034 2057 210e 2212 1d434-1d467 1d6fc-1d71b"))
"""Characters that keep their own drawing for superscripts; the rest are scaled."""

FONTS = {  # file: (PostScript name in the wheel, family in the style sheet, characters, OpenType features)
    "math.woff2": ("NewCMMath-Book", "Verify Math", MATHEMATICS, ["ssty", "dtls", "flac"]),
    "regular.woff2": ("LibertinusSerif-Regular", "Verify Text", TEXT, ["kern", "liga"]),
    "italic.woff2": ("LibertinusSerif-Italic", "Verify Text", TEXT, ["kern", "liga"]),
    "semibold.woff2": ("LibertinusSerif-Semibold", "Verify Text", TEXT, ["kern", "liga"]),
    "mono.woff2": ("DejaVuSansMono", "Verify Mono", TEXT, []),
}


def embedded_fonts(library: bytes) -> Iterator[TTFont]:
    """The OpenType files that lie uncompressed in a shared library."""
    for found in re.finditer(rb"OTTO|\x00\x01\x00\x00", library):
        start = found.start()
        count = struct.unpack(">H", library[start + 4 : start + 6])[0]
        records = [library[start + 12 + 16 * i : start + 28 + 16 * i] for i in range(count)] if count <= 30 else []
        if not any(record[:4] == b"cmap" for record in records):
            continue
        if not all(re.fullmatch(rb"[A-Za-z0-9/ ]{4}", record[:4]) for record in records):
            continue
        end = max(sum(struct.unpack(">II", record[8:])) for record in records)
        yield TTFont(io.BytesIO(library[start : start + end]))


def keep_small_forms(font: TTFont, wanted: set[int]) -> None:
    """Drop the superscript drawings of all other characters."""
    names = font.getBestCmap()
    keep = {names[code] for code in wanted if code in names}
    table = font["GSUB"].table
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag != "ssty":
            continue
        for index in record.Feature.LookupListIndex:
            for rule in table.LookupList.Lookup[index].SubTable:
                rule = getattr(rule, "ExtSubTable", rule)
                for attribute in ("alternates", "mapping"):
                    if hasattr(rule, attribute):
                        kept = {glyph: to for glyph, to in getattr(rule, attribute).items() if glyph in keep}
                        setattr(rule, attribute, kept)


def cut(font: TTFont, family: str, codes: list[int], features: list[str]) -> bytes:
    """The subset as WOFF2; renamed, with its copyright lines kept."""
    if "ssty" in features:
        keep_small_forms(font, SMALL_FORMS)
    options = subset.Options(layout_features=features, hinting=False, notdef_outline=True, name_IDs=["*"])
    options.drop_tables += ["FFTM", "PfEd"]
    options.recalc_timestamp = False
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    original = f"{font['name'].getDebugName(4)} {font['name'].getDebugName(5)}"
    for record in font["name"].names:
        if record.nameID in (1, 16):
            record.string = family
        elif record.nameID in (4, 6):
            record.string = family.replace(" ", "")
        elif record.nameID == 3:
            record.string = f"Subset of {original}"
    font.flavor = "woff2"
    font.recalcTimestamp = False
    written = io.BytesIO()
    font.save(written)
    return written.getvalue()


def as_ranges(codes: list[int]) -> str:
    """The inverse of `characters`."""
    starts = [code for code in codes if code - 1 not in codes]
    ends = [code for code in codes if code + 1 not in codes]
    return " ".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in zip(starts, ends, strict=True))


def main() -> None:
    """Write all subsets, and characters.txt with what each of them covers."""
    covered = {}
    library = next(Path(typst.__file__).parent.glob("_typst*")).read_bytes()
    wanted = {source: (file, family, codes, features) for file, (source, family, codes, features) in FONTS.items()}
    for font in embedded_fonts(library):
        source = font["name"].getDebugName(6)
        if source in wanted:
            file, family, codes, features = wanted.pop(source)
            data = cut(font, family, codes, features)
            (TEMPLATES / file).write_bytes(data)
            covered[file] = as_ranges(sorted(font.getBestCmap()))
            print(f"{file:15} {len(data):7} bytes from {source}")
    lines = (f"{file} {ranges}\n" for file, ranges in sorted(covered.items()))
    (TEMPLATES / "characters.txt").write_text("".join(lines), "ascii")
    if wanted:
        raise SystemExit(f"not in this Typst wheel: {', '.join(wanted)}")


if __name__ == "__main__":
    main()
