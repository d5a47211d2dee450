"""Hardware encoders, found by using them: a name in FFmpeg's list says nothing about the machine.

Each candidate encodes a few pictures in a process of its own, since a driver may take its process down with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from fractions import Fraction

import av

from roughcut.media.encoders import Encoder
from roughcut.media.faults import reason
from roughcut.records import FilmSpec

TRIAL = (sys.executable, "-m", "roughcut.media.hardware")
TRIAL_PICTURES = 8
TRIAL_SECONDS = 30
FAMILIES = ("nvenc", "qsv", "amf", "videotoolbox", "vaapi")


def find_hardware(spec: FilmSpec) -> tuple[Encoder | None, str]:
    """The first encoder of the film's codec that works at its size and depth, and words on it.

    Where none does, the words are each candidate's own complaint.
    """
    complaints = []
    for candidate in candidates(spec):
        complaint = trial(candidate, spec.width, spec.height)
        if complaint is None:
            return candidate, f"encoded by {candidate.name}: another picture quality and size than software gives"
        complaints.append(f"{candidate.name}: {complaint}")
    tried = "; ".join(complaints)
    return None, f"no hardware encoder for {spec.codec} works here, so software encoded the film ({tried})"


def candidates(spec: FilmSpec) -> list[Encoder]:
    """Encoders of the film's codec by their makers' names, in the order of trial."""
    return [
        Encoder(
            name=f"{spec.codec}_{family}",
            options=_options(family, spec.crf),
            pixel_format="p010le" if spec.bit_depth == 10 else "nv12",
        )
        for family in FAMILIES
    ]


def _options(family: str, crf: int) -> dict[str, str]:
    """About the same quality in each maker's words."""
    q = str(min(crf + 2, 51))
    return {
        "nvenc": {"preset": "p5", "rc": "vbr", "cq": q, "b": "0"},
        "qsv": {"global_quality": q},
        "amf": {"rc": "cqp", "qp_i": q, "qp_p": q},
        "videotoolbox": {"flags": "+qscale", "global_quality": str(118 * max(100 - 2 * crf, 1))},
        "vaapi": {"qp": q},
    }[family]


def trial(encoder: Encoder, width: int, height: int) -> str | None:
    """Why an encoder cannot write pictures of that size here, in FFmpeg's words; None where it can."""
    try:
        av.Codec(encoder.name, "w")
    except ValueError:
        return "not in this FFmpeg"
    command = [*TRIAL, json.dumps({**asdict(encoder), "width": width, "height": height})]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TRIAL_SECONDS, env=paths, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {TRIAL_SECONDS} s"
    if done.returncode:
        return f"its driver ended the process with code {done.returncode}"
    complaint: str | None = json.loads(done.stdout.splitlines()[-1])
    return complaint


def _complaint(asked: dict[str, object]) -> str | None:
    """The trial itself, in its own process."""
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture() as said:
        try:
            _encode(**asked)  # type: ignore[arg-type]
        except (av.FFmpegError, OSError, ValueError) as error:
            words = " ".join(said[0][2].split()) if said else ""
            return f"{words} ({reason(error)})" if words else reason(error)
    return None


def _encode(*, name: str, options: dict[str, str], pixel_format: str, width: int, height: int, tag: str | None) -> None:
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, pixel_format
    context.time_base, context.framerate, context.options = Fraction(1, 25), Fraction(25), options
    written = 0
    for n in range(TRIAL_PICTURES):
        frame = av.VideoFrame(width, height, pixel_format)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = n, Fraction(1, 25)
        written += len(context.encode(frame))
    written += len(context.encode(None))
    if written != TRIAL_PICTURES:
        raise ValueError(f"{written} of {TRIAL_PICTURES} pictures came out")


if __name__ == "__main__":
    print(json.dumps(_complaint(json.loads(sys.argv[1]))))
