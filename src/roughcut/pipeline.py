"""The whole of roughcut, top to bottom: footage in; the film, the timeline and the report out.

input layer         x                      media.probe, media.scan
feature extraction  X = CNN(x)             features
temporal mapping    U = RNN(X)             temporal
spatial mapping     V = SpaceMapper(X, U)  spatial
deciding            plan                   planner, timeline
effect synthesis    y = Synth(V, x)        effects
output layer        film, proof, report    media.mux, media.proof, report
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from roughcut import watching
from roughcut.claims import all_or_none
from roughcut.errors import OutputError
from roughcut.finishing import check_finish, finished
from roughcut.grading import check_reference, film_plan, reference_of
from roughcut.look_files import claim_looks, looks_or_none, write_timeline
from roughcut.media.faults import check_file, quiet_ffmpeg
from roughcut.media.probe import probe as probe_file
from roughcut.media.track import heard_track
from roughcut.models import store
from roughcut.momentlist import MomentList
from roughcut.moodlist import mood as mood
from roughcut.moodlist import mood_networks, mood_of
from roughcut.people import FoundFaces, cuts_of, face_detector, find_tracks, hidden, list_faces
from roughcut.planner import PlanOptions, make_plan
from roughcut.proving import Proof, verified
from roughcut.records import Analysis, Look, MediaInfo, Progress, Timing, named_preset, no_progress
from roughcut.rendering import EditResult, render_plan
from roughcut.reporting import report_paths, reported
from roughcut.results import changed, claim
from roughcut.shotlist import ShotList, list_shots
from roughcut.spatial.mapper import SpaceMapper
from roughcut.temporal.moments import MomentMapper
from roughcut.temporal.shots import shots_from
from roughcut.temporal.speech import find_speech, loudness_curve
from roughcut.timeline.otio import read_otio
from roughcut.timeline.plan import Plan
from roughcut.wishes import NETWORKS, check_writing, looked_for, options_of, recipe_of, smart_wish

File = Path | str


def probe(path: File) -> MediaInfo:
    """What a file is: streams, exact rates, rotation, colour. Raises InputError where it is no usable footage."""
    quiet_ffmpeg()
    return probe_file(Path(path))


def analyze(
    path: File,
    *,
    track: str | int | None = None,
    faces: bool = False,
    mood: bool = False,
    expressions: bool = True,
    detector: File | None = None,
    cache: bool = True,
    progress: Progress = no_progress,
) -> Analysis:
    """X, U and V of a file: what is in it, when, and how it should look.

    The decode pass is cached by content and networks; `cache=False` decodes anew.

    Args:
        track: the sound track to listen to, a number from 1 or a language; None takes the file's default.
        faces: look for faces too, in a pass of their own.
        mood: find the mood too; with `expressions` faces are read for it, in a pass of their own.
        detector: an ONNX file that finds them, in place of the shipped network.

    Raises:
        InputError: the file is no usable footage. ModelError: a network is missing or was altered.
        OptionError: the file has no such track.
    """
    eye = face_detector(detector) if faces or (mood and expressions) else None
    info = probe(path)
    heard = heard_track(info, track)
    seen = watching.watch(info, track=heard, use_cache=cache, progress=progress)
    features = seen.features
    keep, accent, lull = MomentMapper().map(features)
    timing = Timing(
        transitions=seen.transitions,
        shots=shots_from(seen.transitions, features.times),
        keep=keep,
        accent=accent,
        lull=lull,
        speech=find_speech(features),
        loudness=loudness_curve(features),
    )
    hdr = info.video.colour.is_hdr  # the colour network learned from SDR pictures alone
    remarks = ["HDR footage: its colour was left alone"] if hdr else []
    if track is not None and not info.audio:
        remarks.append("no sound track: --track has nothing to choose from here")
    looks = tuple(Look(confidence=0.0) for _ in timing.shots) if hdr else SpaceMapper(store).map(features, timing)
    found = None
    if faces and eye is not None:
        cuts = cuts_of(seen.transitions, features.times)
        found = find_tracks(info, cuts, detector=eye, use_cache=cache, progress=progress)
    felt = mood_of(info, seen, detector=eye if expressions else None, cache=cache, progress=progress) if mood else None
    return Analysis(
        media=info,
        features=features,
        timing=timing,
        looks=looks,
        models=watching.model_versions((*NETWORKS, *mood_networks(felt))),
        warnings=(*info.warnings, *seen.losses, *remarks),
        track=heard,
        faces=found,
        mood=felt,
    )


def shots(path: File, *, cache: bool = True, progress: Progress = no_progress) -> ShotList:
    """The shots of a file and the transitions between them, from a pass over its pictures alone.

    `shotlist.split` makes a film of each, `shotlist.save_images` pictures.

    Raises:
        InputError: the file is no usable footage. ModelError: a shipped network is missing or was altered.
    """
    return list_shots(probe(path), cache=cache, progress=progress)


def moments(
    path: File,
    *,
    target: str | int | None = None,
    track: str | int | None = None,
    cache: bool = True,
    progress: Progress = no_progress,
) -> MomentList:
    """The keep curve of a file, and the moments that `edit` would keep within the target.

    Raises:
        As `analyze` and `plan`.
    """
    options_of({"target": target})
    analysis = analyze(path, track=track, cache=cache, progress=progress)
    return MomentList(analysis=analysis, plan=plan(analysis, target=target, progress=progress))


def faces(
    path: File, *, detector: File | None = None, cache: bool = True, progress: Progress = no_progress
) -> FoundFaces:
    """The faces of a file, followed through each shot; `people.write_sheet` makes a page of them.

    Raises:
        InputError: the file is no usable footage. ModelError: a network is missing, altered, or no face detector.
    """
    network = None if detector is None else Path(detector)
    return list_faces(probe(path), network=network, cache=cache, progress=progress)


def grade_film(
    path: File,
    out: File,
    *,
    strength: float = 1.0,
    reference: File | None = None,
    preset: str | None = None,
    force: bool = False,
    cache: bool = True,
    progress: Progress = no_progress,
) -> EditResult:
    """Colour alone: nothing is cut, faded or made louder. The timeline lies beside the film.

    Args:
        strength: 0..1, how far. reference: a picture, film or `.cube` whose colours are wanted after the correction.

    Raises:
        As `analyze` and `render`; OptionError: a strength out of range. InputError: the reference cannot be read.
    """
    out, path = Path(out), Path(path)
    wishes: dict[str, Any] = {"like": reference, "look_strength": strength, "preset": preset}
    options_of(wishes)
    check_writing(out, preset, "off", None)
    timeline = out.with_suffix(".otio")
    claim([out, timeline], inputs=[path, *([] if reference is None else [Path(reference)])], force=force)
    claim_looks(timeline, force=force)
    planned = grade_plan(path, **wishes, name=out.stem, cache=cache, progress=progress)
    with all_or_none([out, timeline]), looks_or_none(timeline):
        result = render_plan(planned, out, timeline=None, smart=smart_wish(None, preset), progress=progress)
        return replace(result, timeline=timeline, looks=write_timeline(planned, timeline))


def grade_plan(
    path: File, *, name: str = "roughcut", cache: bool = True, progress: Progress = no_progress, **wishes: Any
) -> Plan:
    """A plan of all of a film with its looks alone. Of the options of `plan`: like, look_strength, preset."""
    analysis = analyze(path, cache=cache, progress=progress)
    return film_plan(plan(analysis, keep="all", transitions="cuts", name=name, **wishes))


def plan(
    analyses: Analysis | Sequence[Analysis],
    *,
    target: str | int | None = None,
    keep: str = "auto",
    look: str = "auto",
    transitions: str = "auto",
    sdr: bool = False,
    vfr: str = "constant",
    preset: str | None = None,
    name: str = "roughcut",
    progress: Progress = no_progress,
    **finish: Any,
) -> Plan:
    """The edit of analysed files into one film.

    Args:
        target: longest film wanted: `"60s"`, `"1:30"`, or whole seconds.
        keep: auto, speech, highlights or all.
        look: auto or none.
        transitions: auto, cuts or dissolves.
        sdr: bring an HDR film (PQ, HLG) to SDR; without it, it keeps its depth and tags.
        vfr: of footage at a variable rate make a film of one `constant` rate, or `keep` the times of its pictures.
        preset: how the film is written, a name of `records.PRESETS`; None takes the usual codec of its kind of file.
        finish: `like`, a picture, film or `.cube` whose colours are wanted, and `look_strength` (0..1), how far colour
            is changed; what is laid on the film: `effects` (none, subtle, rich), `captions` (an .srt), `title`, `logo`,
            `music`, `reframe` (9:16, 1:1, 4:5, 16:9), `stabilise`, `denoise` (0..1), `restore` (none, auto); `faces`
            that are followed or hidden (needs analyses with faces), with which `cover` (solid, mosaic, blur), a list of
            `people`; `mute_voices`; the `mood` wished for (up, calm, tense, any; needs analyses with mood).

    Raises:
        OptionError: a value that is not allowed, or a target longer than the footage. InputError: captions, logo,
        music or the reference cannot be used.
    """
    options = PlanOptions.parse(
        target=target, keep=keep, look=look, transitions=transitions, sdr=sdr, vfr=vfr, preset=preset, **finish
    )
    footage = [analyses] if isinstance(analyses, Analysis) else list(analyses)
    check_finish(options, len(footage))
    reference = None if options.like is None else reference_of(options.like)
    made = make_plan(footage, options, name=name, reference=reference)
    media = {source.id: analysis.media for source, analysis in zip(made.sources, footage, strict=True)}
    speech = {source.id: analysis.timing.speech for source, analysis in zip(made.sources, footage, strict=True)}
    tracks = {source.id: analysis.faces or () for source, analysis in zip(made.sources, footage, strict=True)}
    return hidden(finished(made, media, options, progress, speech, tracks), footage, options)


def render(
    source: Plan | File,
    out: File,
    *,
    preset: str | None = None,
    hardware: str = "off",
    smart: str | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
) -> EditResult:
    """Make the film of a plan, or of a timeline file, and prove it.

    Args:
        preset: how the film is written, a name of `records.PRESETS`, in place of what the plan says.
        hardware: `auto` tries the machine's own encoders, `off` (the same film on every machine) does not.
        smart: `auto` takes over the footage's own packets where nothing is done to its pictures and the film is of the
            same kind, `always` refuses where there are none, `never` encodes all. None: `auto`, but `never` for a plan
            or a call with a preset: who asks for a quality does not want the camera's.
        resume: go on from what an interrupted render of the same film had finished; interrupted again, keep that.

    Raises:
        OptionError: a preset or another value that is not known.
        PlanError: the timeline cannot be read or rendered. InputError: its media are missing.
        OutputError: the film cannot be written, or exists and `force` is off. ProofError: it is not what was planned.
    """
    quiet_ffmpeg()
    out = Path(out)
    check_writing(out, preset, hardware, smart)
    timeline = None if isinstance(source, Plan) else Path(source)
    planned = source if isinstance(source, Plan) else read_otio(source)
    if preset is not None:
        planned = replace(planned, spec=named_preset(preset).on(planned.spec))
    claim([out], inputs=[s.path for s in planned.sources], force=force)
    remarks = changed(planned.sources)
    with all_or_none([out]):
        result = render_plan(
            planned, out, timeline=timeline, smart=smart_wish(smart, planned.spec.codec), resume=resume,
            hardware=hardware == "auto", progress=progress,
        )  # fmt: skip
    return replace(result, remarks=(*remarks, *result.remarks))


def verify(film: File, source: Plan | File, *, quick: bool = False) -> Proof:
    """Any film beside a plan or a timeline file: counts, durations, sync at every join, first and last frame of every
    segment beside the source, tags and tracks; see `Proof.problems`.

    Args:
        quick: decode all sound, but of the pictures only those around the joins.

    Raises:
        InputError: the film does not open, or media of the timeline are missing. PlanError: the timeline cannot be
        read.
    """
    quiet_ffmpeg()
    check_file(Path(film))
    planned = source if isinstance(source, Plan) else read_otio(source)
    return verified(Path(film), planned, whole=not quick)


def edit(
    paths: File | Sequence[File],
    out: File,
    *,
    target: str | int | None = None,
    keep: str = "auto",
    look: str = "auto",
    transitions: str = "auto",
    sdr: bool = False,
    vfr: str = "constant",
    track: str | int | None = None,
    preset: str | None = None,
    hardware: str = "off",
    smart: str | None = None,
    resume: bool = False,
    detector: File | None = None,
    force: bool = False,
    cache: bool = True,
    progress: Progress = no_progress,
    **finish: Any,
) -> EditResult:
    """All of it: `out`, and beside it the timeline (`.otio`), looks (`.looks`) and report (`.report.html`, `.json`).

    Options as in `analyze`, `plan` and `render`; `force` replaces results that exist; errors as there.
    """
    out = Path(out)
    files = [Path(paths)] if isinstance(paths, Path | str) else [Path(p) for p in paths]
    asked: dict[str, Any] = {
        "keep": keep, "look": look, "transitions": transitions, "sdr": sdr, "vfr": vfr, "preset": preset,
        **finish,
    }  # fmt: skip
    options = PlanOptions.parse(target=target, **asked)
    check_finish(options, len(files))
    check_reference(options.like)
    for path in files:
        check_file(path)
    check_writing(out, preset, hardware, smart)
    timeline = out.with_suffix(".otio")
    inputs = [*files, *(value for value in vars(options).values() if isinstance(value, Path))]
    claim([out, timeline, *report_paths(out)], inputs=inputs, force=force)
    claim_looks(timeline, force=force)
    began = perf_counter()
    looking = looked_for(options, track, detector)
    analyses = [analyze(path, **looking, cache=cache, progress=progress) for path in files]
    claim([out, timeline, *report_paths(out)], inputs=inputs, force=force)  # another run may have been faster
    claim_looks(timeline, force=force)
    planned = plan(analyses, target=target, name=out.stem, progress=progress, **asked)
    store.release()  # rendering needs none of the networks
    decided = perf_counter()
    wishes = {**asked, "target": target, "track": track, "hardware": hardware, "smart": smart, "detector": detector}
    with all_or_none([out, timeline, *report_paths(out)]), looks_or_none(timeline):
        result = render_plan(
            planned, out, timeline=timeline, smart=smart_wish(smart, preset), resume=resume,
            hardware=hardware == "auto", progress=progress,
        )  # fmt: skip
        result = replace(result, looks=write_timeline(planned, timeline))
        return reported(result, analyses, decided - began, recipe_of(files, wishes))


def plan_files(
    paths: Sequence[File],
    *,
    track: str | int | None = None,
    detector: File | None = None,
    cache: bool = True,
    progress: Progress = no_progress,
    **wishes: Any,
) -> Plan:
    """Analyse and plan; options as in `analyze` and `plan`."""
    options = options_of(wishes)
    check_finish(options, len(paths))
    check_reference(options.like)
    looking = looked_for(options, track, detector)
    analyses = [analyze(path, **looking, cache=cache, progress=progress) for path in paths]
    return plan(analyses, progress=progress, **wishes)


def write_plan(planned: Plan, path: File, *, force: bool = False) -> Path:
    """Write a plan as an `.otio` timeline, its looks beside it.

    Raises:
        OutputError: it cannot be written, or exists and `force` is off.
    """
    path = Path(path)
    if path.suffix != ".otio":
        raise OutputError("a timeline's name ends in .otio", where=path, got=path.suffix or "no ending")
    claim([path], inputs=[s.path for s in planned.sources], force=force)
    claim_looks(path, force=force)
    write_timeline(planned, path)
    return path
