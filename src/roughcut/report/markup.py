"""The page's small pieces of HTML. Arguments named `html` or made here are markup; all others are text and escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from roughcut.timeline.plan import Decision


def section(title: str, lead: str, html: str) -> str:
    """A titled part of the page with a sentence under the title."""
    said = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return f"<section><h2>{escape(title)}</h2>{said}{html}</section>"


def card(html: str) -> str:
    """A framed box."""
    return f'<div class="card">{html}</div>'


def tile(figure: str, words: str, kind: str = "") -> str:
    """A headline figure."""
    return f'<div class="tile {kind}"><b>{escape(figure)}</b><span>{escape(words)}</span></div>'


def table(head: Sequence[str], html: Sequence[Sequence[str]]) -> str:
    """A table; cells are markup, either `<td ...>...</td>` or what goes into one."""
    titles = "".join(f"<th>{escape(h)}</th>" for h in head)
    cells = ("".join(c if c.startswith("<td") else f"<td>{c}</td>" for c in row) for row in html)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return (
        f'<div class="card table"><div class="scroll"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></div>"
    )


def moment(*, picture: str | None, time: str, length: str, place: str, decision: Decision, join: str = "") -> str:
    """A thumbnail with its time, reason and probability; `picture` is a data URI."""
    shown = f'<img loading="lazy" alt="" src="{picture}">' if picture else '<div class="blank"></div>'
    joined = f'<div class="join">{escape(join)}</div>' if join else ""
    return (
        f'<figure class="moment">{shown}<figcaption class="text">'
        f'<div class="head"><b>{escape(time)}</b><span class="soft">{escape(length)}</span></div>{joined}'
        f'<span class="why">{escape(decision.words)}</span><small>{escape(place)}</small>'
        f"{probability_bar(decision.probability)}</figcaption></figure>"
    )


def probability_bar(p: float) -> str:
    """A probability in 0..1 as a thin bar and a figure."""
    return (
        f'<span class="sure" title="probability {p:.2f}"><span class="bar"><i style="width:{p:.0%}"></i></span>'
        f'<span class="num">{p:.0%}</span></span>'
    )


def slider(name: str, value: float) -> str:
    """A grade's slider: the middle is 0, the ends are -1 and +1."""
    left = 50 + 50 * max(-1.0, min(1.0, value))
    zero = ' class="zero"' if abs(value) < 0.005 else ""
    return (
        f'<span>{escape(name)}</span><span class="slider"><i{zero} style="left:{left:.1f}%"></i></span>'
        f'<span class="num">{value:+.2f}</span>'
    )
