"""Small media whose truth is known by construction: flash and beep, luma ramps, colour patches, odd timestamps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from av.video.reformatter import ColorRange, VideoReformatter

from roughcut.media.tags import MATRICES, PRIMARIES, TRANSFERS, swscale_matrix
from roughcut.records import ColourTags

Frame = np.ndarray  # [h, w, 3] uint8 RGB
UNTAGGED = ColourTags()


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A track: [channels, n] float32 at `rate`, beginning at `start` seconds."""

    samples: np.ndarray
    rate: int = 48_000
    start: Fraction = Fraction(0)
    codec: str = "aac"
    language: str | None = None
    title: str | None = None
    layout: str | None = None
    """None: the usual one of that many channels."""


def write_media(
    path: Path,
    frames: Iterable[Frame],
    *,
    rate: Fraction = Fraction(25),
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    sound: Sound | Sequence[Sound] | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    colour: ColourTags = UNTAGGED,
    rotation: int = 0,
    pixel_format: str = "yuv420p",
) -> Path:
    """Write frames (and sound) with exactly these timestamps: frame i at i / rate, or at `ticks[i]` of `time_base`."""
    base = time_base or 1 / rate
    sounds = [sound] if isinstance(sound, Sound) else sound or []
    with av.open(str(path), "w") as out:
        video = None
        scaler = VideoReformatter()
        for i, rgb in enumerate(frames):
            if video is None:
                video = _video(out, rgb, rate, base, codec, options, colour, rotation, pixel_format)
                tracks = [_track(out, s) for s in sounds]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
            frame = scaler.reformat(
                frame, format=pixel_format, dst_colorspace=swscale_matrix(colour, rgb.shape[0]),
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.JPEG if colour.full_range else ColorRange.MPEG,
            )  # fmt: skip
            frame.pts, frame.time_base = (i if ticks is None else ticks[i]), base
            out.mux(video.encode(frame))
        assert video is not None
        out.mux(video.encode(None))
        for track, one in zip(tracks, sounds, strict=True):
            _write_sound(out, track, one)
    return path


def _video(out, rgb, rate, base, codec, options, colour, rotation, pixel_format):  # type: ignore[no-untyped-def]
    stream = out.add_stream(codec, rate=rate, options=options or {"crf": "12", "preset": "ultrafast"})
    stream.height, stream.width = rgb.shape[:2]
    stream.pix_fmt = pixel_format
    stream.time_base = stream.codec_context.time_base = base
    context = stream.codec_context
    for codes, attribute, name in (
        (MATRICES, "colorspace", colour.matrix),
        (PRIMARIES, "color_primaries", colour.primaries),
        (TRANSFERS, "color_trc", colour.transfer),
    ):
        if name is not None:
            setattr(context, attribute, next(code for code, known in codes.items() if known == name))
    if colour.full_range is not None:
        context.color_range = 2 if colour.full_range else 1
    if rotation:
        stream.set_display_rotation(rotation)
    return stream


def _track(out, sound):  # type: ignore[no-untyped-def]
    layout = sound.layout or {1: "mono", 2: "stereo", 6: "5.1"}[sound.samples.shape[0]]
    track = out.add_stream(sound.codec, rate=sound.rate, layout=layout)
    track.metadata.update({k: v for k, v in (("language", sound.language), ("title", sound.title)) if v})
    return track


def _write_sound(out, track, sound):  # type: ignore[no-untyped-def]
    resampler = av.AudioResampler(
        format=track.format, layout=track.layout, rate=sound.rate, frame_size=track.frame_size
    )
    interleaved = np.ascontiguousarray(sound.samples.T, dtype=np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(interleaved, "flt", layout=track.layout.name)
    frame.sample_rate = sound.rate
    frame.time_base = Fraction(1, sound.rate)
    frame.pts = round(sound.start * sound.rate)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        out.mux(track.encode(part))
    out.mux(track.encode(None))


# ---------------------------------------------------------------- what lies beside pictures and sound

Spoken = tuple[Fraction, Fraction, str]  # from, to, words


@dataclass(frozen=True, kw_only=True)
class Subtitles:
    """A subtitle stream; words are stored as the codec wants them, for `ass` with all its fields."""

    codec: str
    cues: Sequence[Spoken]
    language: str | None = None
    title: str | None = None
    forced: bool = False


def beside(
    source: Path,
    path: Path,
    *,
    subtitles: Sequence[Subtitles] = (),
    chapters: Sequence[Spoken] = (),
    tags: dict[str, str] | None = None,
    more: Callable[[av.container.OutputContainer], object] = lambda out: None,
) -> Path:
    """The streams of `source` in another file, with subtitles, chapters (of whole milliseconds) and tags added."""
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        out.metadata.update(tags or {})
        base = Fraction(1, 1000)
        out.set_chapters([
            {"id": i, "start": int(a / base), "end": int(b / base), "time_base": base, "metadata": {"title": title}}
            for i, (a, b, title) in enumerate(chapters, 1)
        ])  # fmt: skip
        streams = {s.index: out.add_stream_from_template(s) for s in given.streams}
        words = [_subtitle_stream(out, s) for s in subtitles]
        more(out)
        waiting = sorted(
            ((cue, stream, made.codec) for made, stream in zip(subtitles, words, strict=True) for cue in made.cues),
            key=lambda one: one[0][0],
        )
        for packet in given.demux():
            if packet.dts is None:
                continue
            while waiting and waiting[0][0][0] <= packet.dts * packet.time_base:
                out.mux(_subtitle_packet(*waiting.pop(0)))
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
        for late in waiting:
            out.mux(_subtitle_packet(*late))
    return path


def _subtitle_stream(out, subtitles):  # type: ignore[no-untyped-def]
    stream = out.add_mux_stream(subtitles.codec)
    stream.time_base = Fraction(1, 1000)
    stream.metadata.update({k: v for k, v in (("language", subtitles.language), ("title", subtitles.title)) if v})
    stream.disposition = Disposition.forced if subtitles.forced else Disposition(0)
    return stream


def _subtitle_packet(cue, stream, codec):  # type: ignore[no-untyped-def]
    start, end, text = cue
    said = text.encode()
    packet = av.Packet(len(said).to_bytes(2, "big") + said if codec == "mov_text" else said)
    packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 1000), True
    packet.pts = packet.dts = round(start * 1000)
    packet.duration = round((end - start) * 1000)
    return packet


def spoken_in(path: Path, track: int = 0) -> list[Spoken]:
    """What FFmpeg decodes of a subtitle track: from, to, words."""
    found = []
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.subtitles[track]):
            for subtitle in packet.decode() if packet.size else []:
                start = packet.pts * packet.time_base
                found.append((start, start + packet.duration * packet.time_base, subtitle.dialogue.decode()))
    return found


def chapters_in(path: Path) -> list[Spoken]:
    """The chapters that FFmpeg finds."""
    with av.open(str(path)) as container:
        return [(c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"].get("title", ""))
                for c in container.chapters()]  # fmt: skip


# ---------------------------------------------------------------- pictures with a meaning


def flat(value: int | tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> Frame:
    """One colour."""
    width, height = size
    return np.full((height, width, 3), value, np.uint8)


def ramp_value(seconds: Fraction, *, length: Fraction = Fraction(10)) -> int:
    """The grey level that tells content time: 20 at 0 s to 220 at `length`."""
    return round(20 + 200 * float(seconds / length))


def beeps(
    count: float, at: Iterable[float], *, rate: int = 48_000, seconds: float = 0.03, tone: int = 1000
) -> np.ndarray:
    """[2, n] silence of `count` seconds with a tone beginning at each given second."""
    samples = np.zeros((2, round(count * rate)), np.float32)
    burst = 0.5 * np.sin(2 * np.pi * tone * np.arange(round(seconds * rate)) / rate)
    for start in at:
        first = round(start * rate)
        part = samples[:, first : first + len(burst)]
        part += burst[: part.shape[1]].astype(np.float32)
    return samples


def flash_and_beep(
    path: Path,
    *,
    seconds: int = 10,
    rate: Fraction = Fraction(25),
    every: Fraction = Fraction(1),
    late: Fraction = Fraction(0),
) -> Path:
    """A white frame and a beep together at every multiple of `every`, on dark grey and silence otherwise.

    With `late`, the sound track begins that much later (what would lie before is not there)."""
    flashes = [every * k for k in range(1, int(seconds / every))]
    lit = {round(t * rate) for t in flashes}
    frames = (flat(235 if i in lit else 30) for i in range(int(seconds * rate)))
    samples = beeps(seconds, [float(round(t * rate) / rate) for t in flashes])
    return write_media(path, frames, rate=rate, sound=Sound(samples=samples[:, round(late * 48_000) :], start=late))


def find_flashes(levels: Sequence[float], threshold: float = 130) -> list[int]:
    """Frame numbers where the picture turns bright."""
    bright = np.asarray(levels) > threshold
    return [int(i) for i in np.flatnonzero(bright & ~np.concatenate([[False], bright[:-1]]))]


def find_beeps(samples: np.ndarray, rate: int, *, quiet: float = 0.1) -> list[float]:
    """Seconds at which a beep begins (the first loud sample after 20 ms of none)."""
    loud = np.flatnonzero(np.abs(samples).max(0) > quiet)
    firsts = loud[np.concatenate([[True], np.diff(loud) > rate // 50])] if len(loud) else loud
    return [float(i) / rate for i in firsts]


def luma_levels(path: Path) -> list[tuple[Fraction, float]]:
    """(time, mean grey level) of every frame as FFmpeg decodes them."""
    with av.open(str(path)) as container:
        return [
            (frame.pts * frame.time_base, float(frame.to_ndarray(format="gray").mean()))
            for frame in container.decode(video=0)
        ]


def ramp_film(path: Path, times: Sequence[Fraction], **options: object) -> Path:
    """Frames at the given times (milliseconds must suffice), each grey by its own time."""
    base = Fraction(1, 1000)
    frames: Callable[[], Iterable[Frame]] = lambda: (flat(ramp_value(t)) for t in times)  # noqa: E731
    return write_media(path, frames(), ticks=[round(t / base) for t in times], time_base=base, **options)  # type: ignore[arg-type]
