"""Edited films with known transitions, made by FFmpeg's own means and coded hard: a second opinion on shot boundaries.

    python benchmarks/shot_films.py DATA_DIR OUT_DIR [--films 48] [--seed 0]
    roughcut evaluate shots --data OUT_DIR

The network learns from films that `training/transitions.py` draws. These films share nothing with it: transitions come
from FFmpeg's `xfade`, pictures are scaled and moved by Pillow, films are coded as H.264, MPEG-4, MPEG-2 or VP8 at low
rates, some with repeated frames (pull-down, animation on twos), blended frames, grain, bars, or a film print's flicker.
Material: the held-out clips and photographs of the manifest of `shots` (its validation part), and drawn title cards.
`sub` in the truth names the style, so that `evaluate shots` can count it by itself.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from roughcut.training import manifest
from roughcut.training.prepare import prepare

Clip = NDArray[np.uint8]
"""[n, h, w, 3]"""
Rng = np.random.Generator
W, H = 256, 144
TAIL = 90  # spare frames of a shot for the transition after it

WIPES = (
    "wipeleft", "wiperight", "wipeup", "wipedown", "wipetl", "wipetr", "wipebl", "wipebr", "smoothleft",
    "smoothright", "smoothup", "smoothdown", "circlecrop", "circleopen", "circleclose", "rectcrop", "vertopen",
    "vertclose", "horzopen", "horzclose", "diagtl", "diagtr", "diagbl", "diagbr", "radial", "hlslice", "hrslice",
    "vuslice", "vdslice", "hlwind", "hrwind", "vuwind", "vdwind"
)  # fmt: skip
OTHERS = (
    "slideleft", "slideright", "slideup", "slidedown", "squeezeh", "squeezev", "zoomin", "pixelize", "hblur",
    "coverleft", "coverright", "coverup", "coverdown", "revealleft", "revealright", "revealup", "revealdown",
    "distance", "dissolve"
)  # fmt: skip
CODECS: dict[str, tuple[str, str, dict[str, str]]] = {
    "h264": (".mp4", "libx264", {"crf": "31", "preset": "veryfast", "x264-params": "threads=1:asm=avx2"}),
    "h264 fine": (".mp4", "libx264", {"crf": "22", "preset": "veryfast", "x264-params": "threads=1:asm=avx2"}),
    "mpeg4": (".avi", "mpeg4", {"b": "220k"}),
    "mpeg2": (".mpg", "mpeg2video", {"b": "500k"}),
    "vp8": (".webm", "libvpx", {"b": "200k", "deadline": "realtime", "cpu-used": "8"}),
}


@dataclass
class Film:
    """Frames so far, and the truth about them."""

    frames: list[Clip] = field(default_factory=list)
    truth: list[dict[str, Any]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(map(len, self.frames))

    def join(self, kind: str, sub: str, inside: Clip) -> None:
        """A transition whose blended frames are `inside`; the frame before and the one after are clean."""
        last = self.length - 1
        self.truth.append({"type": kind, "start": last, "end": last + len(inside) + 1, "sub": sub})
        if len(inside):
            self.frames.append(inside)


class Material:
    """The validation part of the manifest of `shots`: moving clips, and photographs to move over."""

    def __init__(self, data: Path, folder: Path) -> None:
        listed = folder / "material.jsonl"
        prepare("shots", data, listed)
        clips = manifest.read(listed).of("val")
        listed.unlink()
        self._moving = [_decoded(c.file) for c in clips if c.labels["material"] == "shot"]
        self._stills = [Image.open(c.file).convert("RGB") for c in clips if c.labels["material"] == "still"]

    def draw(self, rng: Rng, length: int) -> tuple[Clip, int | None]:
        """A shot, and which moving clip it is of."""
        chosen = rng.random()
        if chosen < 0.6:
            which = int(rng.integers(len(self._moving)))
            return self.moment(rng, which, length), which
        if chosen < 0.93:
            return _panned(rng, self._stills[int(rng.integers(len(self._stills)))], length), None
        return _card(rng, length), None

    def moment(self, rng: Rng, which: int, length: int, closer: float | None = None) -> Clip:
        """A stretch of a moving clip, run back and forth where it is short."""
        clip = self._moving[which]
        speed = rng.choice([1.0, 1.0, 0.5, 2.0])
        at = (rng.integers(len(clip)) + np.arange(length) * speed).astype(int) % max(2 * len(clip) - 2, 1)
        shot = clip[np.minimum(at, 2 * len(clip) - 2 - at)] if len(clip) > 1 else clip[[0] * length]
        share = closer or float(rng.choice([1.0, 1.0, 0.8, 0.65]))
        return _cropped(shot, share, *rng.uniform(0, 1, 2))


def make_film(rng: Rng, material: Material, frames: int) -> Film:
    """Shots and transitions until the film is long enough."""
    film = Film()
    shot, which = material.draw(rng, 400)
    while True:
        length = int(np.exp(rng.uniform(np.log(5), np.log(260))))
        film.frames.append(_disturbed(rng, shot[:length]))
        if film.length >= frames:
            return film
        rest = shot[length : length + TAIL]
        jump = which is not None and rng.random() < 0.16
        shot, which = _jumped(rng, material, which) if jump and which is not None else material.draw(rng, 400)
        if jump or rng.random() < 0.45:
            film.join("cut", "jump" if jump else "cut", shot[:0])
        else:
            shot = _joined(rng, film, rest, shot)


def _jumped(rng: Rng, material: Material, which: int) -> tuple[Clip, int]:
    """The same clip at another moment, sometimes from nearer."""
    return material.moment(rng, which, 400, closer=float(rng.choice([1.0, 0.75, 0.6]))), which


def _joined(rng: Rng, film: Film, old: Clip, new: Clip) -> Clip:
    """Write a gradual transition; returns what is left of the new shot."""
    n = int(np.exp(rng.uniform(np.log(3), np.log(60))))
    group = rng.choice(["dissolve", "fade", "wipe", "other"], p=[0.34, 0.22, 0.24, 0.2])
    if group == "fade":
        return _faded(rng, film, old, new, max(n, 4))
    names = {"dissolve": ("fade",), "wipe": WIPES, "other": OTHERS}[group]
    n = n if group == "dissolve" else min(max(n, 6), 40)
    name = str(rng.choice(names))
    film.join(group, name, xfade(name, old[: n + 2], new[: n + 2])[1:-1])
    return new[n + 1 :]


def _faded(rng: Rng, film: Film, old: Clip, new: Clip, n: int) -> Clip:
    """Through a colour by xfade, or out to it, a hold, and in again (or a cut) by the filter `fade`."""
    white = rng.random() < 0.2
    if rng.random() < 0.5:
        name = "fadewhite" if white else "fadeblack"
        film.join("fade", name, xfade(name, old[: n + 2], new[: n + 2])[1:-1])
        return new[n + 1 :]
    colour = np.full_like(old[:1], 255 if white else 0)
    hold = int(rng.integers(13, 40))
    film.join("fade", "out", xfade("fade", old[: n + 2], colour.repeat(n + 2, 0))[1:-1])
    film.frames.append(colour.repeat(hold, 0))
    if rng.random() < 0.25:
        film.join("cut", "from colour", new[:0])
        return new
    n = int(rng.integers(4, 45))
    film.join("fade", "in", xfade("fade", colour.repeat(n + 2, 0), new[: n + 2])[1:-1])
    return new[n + 1 :]


def xfade(name: str, old: Clip, new: Clip) -> Clip:
    """FFmpeg's transition from the first frame of `old` (kept clean) to the last of `new` (kept clean)."""
    graph, last = Graph(), len(old) - 1
    shape = f"video_size={W}x{H}:pix_fmt=gbrp:time_base=1/25:frame_rate=25/1:pixel_aspect=1/1"
    sources = [graph.add("buffer", shape) for _ in range(2)]
    blend = graph.add("xfade", f"transition={name}:duration={last / 25}:offset=0")
    sink = graph.add("buffersink")
    for number, source in enumerate(sources):
        source.link_to(blend, 0, number)
    blend.link_to(sink)
    graph.configure()
    out: list[Clip] = []
    for k in range(last + 1):
        for source, clip in zip(sources, (old, new), strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(clip[k]), format="rgb24").reformat(format="gbrp")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            source.push(frame)
    for source in sources:
        source.push(None)
    while len(out) <= last:
        out.append(graph.vpull().to_ndarray(format="rgb24"))
    return np.stack(out)


def _disturbed(rng: Rng, shot: Clip) -> Clip:
    """In a third of the shots something that is no change of shot."""
    if rng.random() > 0.35 or len(shot) < 12:
        return shot
    shot = shot.copy()
    at = int(rng.integers(2, len(shot) - 6))
    kind = rng.integers(5)
    if kind == 0:  # a flash
        for k, strength in enumerate((0.9, 0.6, 0.25)[: rng.integers(1, 4)]):
            shot[at + k] = (shot[at + k] * (1 - strength) + 255 * strength).astype(np.uint8)
    elif kind == 1:  # a caption pops in and out
        caption = _text(rng, size=int(rng.integers(10, 40)))
        until = at + int(rng.integers(10, 80))
        shot[at:until] = np.where(caption > 0, caption, shot[at:until])
    elif kind == 2:  # a light is switched
        shot[at:] = np.clip(shot[at:] * rng.uniform(0.55, 1.5), 0, 255).astype(np.uint8)
    elif kind == 3:  # the camera is knocked
        for k in range(min(12, len(shot) - at)):
            shift = rng.normal(0, 12 * np.exp(-k / 4), 2).astype(int)
            shot[at + k] = np.roll(shot[at + k], shift, (0, 1))
    else:  # something large passes
        wide, length = int(rng.integers(40, 200)), int(rng.integers(6, 30))
        colour = rng.integers(0, 256, 3)
        for k in range(min(length, len(shot) - at)):
            left = int(-wide + (W + wide) * k / length)
            shot[at + k, 20:, max(left, 0) : max(left + wide, 0)] = colour
    return shot


# Looks and frame patterns of a whole film


def _plain(rng: Rng, frames: Clip) -> Clip:
    return frames


def _barred(rng: Rng, frames: Clip) -> Clip:
    frames = frames.copy()
    if rng.random() < 0.5:
        bar = int(rng.integers(8, 22))
        frames[:, :bar] = frames[:, -bar:] = 0
    else:
        bar = int(rng.integers(16, 50))
        frames[:, :, :bar] = frames[:, :, -bar:] = 0
    return frames


def _print(rng: Rng, frames: Clip) -> Clip:
    """A worn black-and-white print: flicker, weave, dirt, grain."""
    grey = frames.mean(3)
    flicker = 1 + rng.normal(0, 0.06, len(frames)) + 0.08 * np.sin(np.arange(len(frames)) / rng.uniform(1, 9))
    out = grey * flicker[:, None, None] + rng.normal(0, 9, grey.shape)
    for k in range(len(out)):
        out[k] = np.roll(out[k], rng.integers(-1, 2, 2), (0, 1))
        for _ in range(rng.poisson(1.2)):
            y, x = rng.integers(0, H - 12), rng.integers(0, W - 8)
            out[k, y : y + rng.integers(2, 12), x : x + rng.integers(1, 6)] = rng.choice([0, 255])
    return np.clip(out, 0, 255).astype(np.uint8)[..., None].repeat(3, 3)


def _grainy(rng: Rng, frames: Clip) -> Clip:
    noise = rng.normal(0, rng.uniform(6, 16), (8, *frames.shape[1:3], 1))
    return np.clip(frames + noise[rng.integers(8, size=len(frames))], 0, 255).astype(np.uint8)


def _dark(rng: Rng, frames: Clip) -> Clip:
    curve = (255 * (np.arange(256) / 255) ** rng.uniform(1.5, 2.6) * rng.uniform(0.4, 0.8)).astype(np.uint8)
    return curve[frames]


def _toned(rng: Rng, frames: Clip) -> Clip:
    tint = rng.uniform(0.6, 1.1, 3)
    mixed = 0.5 * frames + 0.5 * frames.mean(3, keepdims=True)
    return np.clip(mixed * tint, 0, 255).astype(np.uint8)


LOOKS: tuple[Callable[[Rng, Clip], Clip], ...] = (_plain, _plain, _barred, _print, _grainy, _dark, _toned)


def _pattern(rng: Rng, frames: Clip, truth: list[dict[str, Any]]) -> Clip:
    """Repeat or blend frames as frame-rate conversions do; the truth moves along."""
    kind = rng.choice(["as is", "as is", "twos", "pull-down", "blend"])
    if kind == "as is":
        return frames
    counts = np.ones(len(frames), int)
    if kind == "twos":
        counts[:] = 2
    else:
        counts[3::4] = 2  # a frame more for every four
    first = np.concatenate([[0], np.cumsum(counts)])
    for entry in truth:
        entry["start"], entry["end"] = int(first[entry["start"] + 1]) - 1, int(first[entry["end"]])
    out = frames.repeat(counts, 0)
    if kind == "blend":
        for k in (first[4::4] - 1).tolist():
            if k + 1 < len(out) and not any(e["start"] == k and e["end"] == k + 1 for e in truth):
                out[k] = (out[k].astype(np.uint16) + out[k + 1]) // 2
    return out


def write(path: Path, frames: Clip, codec: str, rate: int) -> None:
    """Code a film."""
    _, encoder, options = CODECS[codec]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = W, H, "yuv420p"
        if "b" in options:
            stream.bit_rate = int(options["b"][:-1]) * 1000
        for k, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


# Pictures


def _decoded(path: Path) -> Clip:
    with av.open(str(path)) as container:
        frames = []
        for frame in container.decode(video=0):
            scale = max(W / frame.width, H / frame.height)
            width, height = round(frame.width * scale), round(frame.height * scale)
            whole = frame.reformat(width, height, format="rgb24").to_ndarray()
            top, left = (height - H) // 2, (width - W) // 2
            frames.append(whole[top : top + H, left : left + W])
            if len(frames) == 500:
                break
        return np.stack(frames)


def _cropped(shot: Clip, share: float, y: float, x: float) -> Clip:
    if share == 1.0:
        return shot
    h, w = round(H * share), round(W * share)
    top, left = round(y * (H - h)), round(x * (W - w))
    return np.stack([
        np.asarray(Image.fromarray(f[top : top + h, left : left + w]).resize((W, H), Image.Resampling.BICUBIC))
        for f in shot
    ])  # fmt: skip


def _panned(rng: Rng, still: Image.Image, length: int) -> Clip:
    """A slow move over a photograph, or none."""
    scale = max(W / still.width, H / still.height)
    at, to = rng.uniform(0, 1, (2, 2))
    near, far = rng.uniform(0.55, 1, 2)
    if rng.random() < 0.3:
        to, far = at, near
    frames = []
    for t in np.linspace(0, 1, length) if not np.array_equal(at, to) else [0.0]:
        share = near + (far - near) * t
        w, h = W / scale * share, H / scale * share
        left, top = (at + (to - at) * t) * (still.width - w, still.height - h)
        frames.append(np.asarray(still.resize((W, H), Image.Resampling.BILINEAR, (left, top, left + w, top + h))))
    return np.stack(frames if len(frames) == length else frames * length)


def _text(rng: Rng, size: int) -> Clip:
    """[h, w, 3] letters on nothing."""
    picture = Image.new("RGB", (W, H))
    draw = ImageDraw.Draw(picture)
    words = ["".join(rng.choice(list("abcdefghijklmnoprstuvwy"), rng.integers(2, 9))) for _ in range(12)]
    y = int(rng.integers(0, H - size))
    for line in range(int(rng.integers(1, 4))):
        text = " ".join(words[line * 3 : line * 3 + 3])
        draw.text((int(rng.integers(4, 60)), y + line * size * 1.2), text, fill=tuple(rng.integers(120, 256, 3).tolist()), font_size=size)  # fmt: skip # noqa: E501
    return np.asarray(picture)


def _card(rng: Rng, length: int) -> Clip:
    """A title card; its lines may fade in while it stands."""
    ground = np.full((H, W, 3), rng.choice([0, 0, 20, 255, rng.integers(256)]), np.uint8)
    text = np.asarray(Image.fromarray(_text(rng, int(rng.integers(12, 30)))).filter(ImageFilter.SMOOTH))
    level = np.clip((np.arange(length) - rng.integers(0, 30)) / rng.integers(1, 20), 0, 1)
    level = level if rng.random() < 0.4 else np.ones(length)
    paint = np.where(text > 0, 255 - ground if ground[0, 0, 0] > 128 else text, ground)
    return (ground + (paint.astype(float) - ground) * level[:, None, None, None]).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--films", type=int, default=48)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    material = Material(given.data, given.out)
    for number in range(given.films):
        rng = np.random.default_rng([given.seed, number])
        film = make_film(rng, material, given.frames)
        look = LOOKS[rng.integers(len(LOOKS))]
        frames = _pattern(rng, look(rng, np.concatenate(film.frames)), film.truth)
        codec = str(rng.choice(list(CODECS)))
        path = given.out / f"{number:03d}{CODECS[codec][0]}"
        write(path, frames, codec, int(rng.choice([24, 25, 30])))
        told = {"frames": len(frames), "look": look.__name__[1:], "transitions": film.truth}
        path.with_name(path.name + ".json").write_text(json.dumps(told))
    print(f"{given.out}: {given.films} films")


if __name__ == "__main__":
    main()
