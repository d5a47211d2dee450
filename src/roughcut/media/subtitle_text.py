"""Text of subtitles as the codecs store it, and back.

mov_text   2 bytes length, text in UTF-8 (or UTF-16 with its mark), styles after it
subrip     text with <i>, <b>, <u>, <font ...> and {\\an8}
webvtt     text with <i>, <c.red>, <v Ann>, <00:01.000> and &amp; &lt; &gt;
ass        number, layer, style, name, three margins, effect, text with {\\i1} and \\N
"""

from __future__ import annotations

import html
import re

MOV_TEXT_MOST = 0xFFFF  # bytes
_TAGS = re.compile(r"</?[a-zA-Z0-9][^<>]*>")
_SUBRIP_TAGS = re.compile(r"</?(?:[ibus]|font)\b[^<>]*>", re.IGNORECASE)
_BRACES = re.compile(r"\{\\[^{}]*\}")
ASS_FIELDS = 8  # commas before the text


def text_of(codec: str, payload: bytes) -> str:
    """The lines of a packet without markup; empty where it says nothing."""
    if codec == "mov_text":
        said = payload[2 : 2 + int.from_bytes(payload[:2], "big")]
        wide = said[:2] in (b"\xfe\xff", b"\xff\xfe")
        return _lines(said.decode("utf-16" if wide else "utf-8", "replace"))
    text = payload.decode("utf-8", "replace")
    if codec == "ass":
        spoken = _BRACES.sub("", text.split(",", ASS_FIELDS)[-1])
        return _lines(spoken.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", "\N{NO-BREAK SPACE}"))
    if codec == "webvtt":
        return _lines(html.unescape(_TAGS.sub("", text)))
    return _lines(_BRACES.sub("", _SUBRIP_TAGS.sub("", text)) if codec == "subrip" else text)


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\0", "").splitlines()).strip("\n")


def payload_of(codec: str, text: str) -> bytes:
    """Lines without markup as `mov_text`, `subrip` or `webvtt` stores them; an empty line would end a cue in files."""
    lines = "\n".join(line for line in text.split("\n") if line.strip())
    if codec == "mov_text":
        said = lines.encode()[:MOV_TEXT_MOST].decode("utf-8", "ignore").encode()
        return len(said).to_bytes(2, "big") + said
    if codec == "webvtt":
        return html.escape(lines, quote=False).encode()
    return lines.encode()


def numbered(payload: bytes, number: int) -> bytes:
    """An `ass` event with another number: players skip one that they think they have shown."""
    return str(number).encode() + b"," + payload.partition(b",")[2]
