"""FFmpeg's picture filters on film pictures: one graph per thread, kept while pictures are of one kind."""

from __future__ import annotations

import threading
from fractions import Fraction

from av.filter import Graph
from av.video.format import VideoFormat

from roughcut.media.picture import Film, FilmPicture
from roughcut.records import Picture


class Filters:
    """Filters that look at one picture at a time: each gives one back at once."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._own = threading.local()

    def __call__(self, picture: Picture, words: str) -> FilmPicture:
        """The picture through the filters that `words` names with their arguments, ";" between them."""
        assert isinstance(picture, FilmPicture)
        graphs: dict[object, Graph] = self._own.__dict__.setdefault("graphs", {})
        frame = picture.frame
        key = (words, frame.width, frame.height, frame.format.name)
        if key not in graphs:
            graphs[key] = _graph(words, frame.width, frame.height, frame.format)
        count = self._own.__dict__["count"] = self._own.__dict__.get("count", 0) + 1
        frame.pts, frame.time_base = count, Fraction(1, 25)
        graphs[key].push(frame)
        return FilmPicture(graphs[key].vpull(), self._film)


def _graph(words: str, width: int, height: int, pixels: VideoFormat) -> Graph:
    graph = Graph()
    graph.threads = 1  # pictures are worked on side by side
    last = graph.add_buffer(width=width, height=height, format=pixels, time_base=Fraction(1, 25))
    for step in (*words.split(";"), f"format={pixels.name}", "buffersink"):
        name, _, arguments = step.partition("=")
        following = graph.add(name, arguments or None)
        last.link_to(following)
        last = following
    graph.configure()
    return graph
