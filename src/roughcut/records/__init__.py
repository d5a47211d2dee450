"""The small records that cross stage borders. Stages never import each other; they meet here and in the plan.

Every record is frozen, keyword-only and checks itself. Units stand in the names or docstrings; times are exact
`Fraction` seconds on the source's own clock (0 is the container's zero, a stream may start later or earlier).
"""

from roughcut.records.analysis import (
    Analysis,
    Curve,
    Features,
    Look,
    LookControls,
    LookKey,
    Mood,
    Shot,
    Speech,
    Timing,
    Transition,
    TransitionKind,
)
from roughcut.records.carried import KEPT_TAGS, Chapter, Cue, SubtitleStream, SubtitleTrack
from roughcut.records.decision import Decision
from roughcut.records.match import Match
from roughcut.records.media import (
    F32,
    I64,
    PICTURE_SIDE,
    SOUND_RATE,
    THUMB_SIZE,
    U8,
    AudioStream,
    ColourTags,
    FrameTimes,
    MediaInfo,
    Part,
    Progress,
    ScanBatch,
    VideoStream,
    no_progress,
)
from roughcut.records.picture import HD_COLOUR, Codec, FilmSpec, Picture, PictureReader, Speed, TrackSpec
from roughcut.records.presets import PRESETS, Preset, named_preset

__all__ = [
    "F32",
    "HD_COLOUR",
    "I64",
    "KEPT_TAGS",
    "PICTURE_SIDE",
    "PRESETS",
    "SOUND_RATE",
    "THUMB_SIZE",
    "U8",
    "Analysis",
    "AudioStream",
    "Chapter",
    "Codec",
    "ColourTags",
    "Cue",
    "Curve",
    "Decision",
    "Features",
    "FilmSpec",
    "FrameTimes",
    "Look",
    "LookControls",
    "LookKey",
    "Match",
    "MediaInfo",
    "Mood",
    "Part",
    "Picture",
    "PictureReader",
    "Preset",
    "Progress",
    "ScanBatch",
    "Shot",
    "Speech",
    "Speed",
    "SubtitleStream",
    "SubtitleTrack",
    "Timing",
    "TrackSpec",
    "Transition",
    "TransitionKind",
    "VideoStream",
    "named_preset",
    "no_progress",
]
