"""Languages by ISO 639-2: one code per language inside, the code that a container knows in files.

Twenty languages have two codes there: `deu` (the language's own name) and `ger` (the English one). QuickTime files
number languages, and FFmpeg knows those numbers mostly by the English codes.
"""

from __future__ import annotations

ENGLISH = {
    "alb": "sqi", "arm": "hye", "baq": "eus", "bur": "mya", "chi": "zho", "cze": "ces", "dut": "nld", "fre": "fra",
    "geo": "kat", "ger": "deu", "gre": "ell", "ice": "isl", "mac": "mkd", "may": "msa", "mao": "mri", "per": "fas",
    "rum": "ron", "slo": "slk", "tib": "bod", "wel": "cym",
}  # fmt: skip
"""English code -> own code."""
QUICKTIME = {own: english for english, own in ENGLISH.items() if english not in ("cze", "fre", "rum", "slo")} | {
    "swe": "sve", "hrv": "hr ", "srp": "sr ", "fao": "fo ", "pan": "pa ", "fas": "iri",
}  # fmt: skip
"""Own code -> what FFmpeg's QuickTime writer knows, where the two differ."""
_SPELLED = ENGLISH | {written.strip(): own for own, written in QUICKTIME.items() if written.strip() not in ENGLISH}


def language_of(told: str | None) -> str | None:
    """The language as roughcut names it; None where the file says nothing or `und`."""
    if not told or told == "und":
        return None
    return _SPELLED.get(told.strip(), told)


def language_in(container: str, language: str) -> str:
    """How a language is written in a container of FFmpeg's names."""
    return QUICKTIME.get(language, language) if container == "mov" else language
