"""Networks of others: fetched only when asked, whole and checked or not at all, and checked again when used."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roughcut.cli.commands import app
from roughcut.errors import ModelError, OptionError, OutputError
from roughcut.features.faces import FaceDetector
from roughcut.models import fetched

CONTENT = bytes(range(256)) * 1000
PINNED = fetched.PUBLISHED["yunet"]
TEACHER = Path(__file__).parents[2] / "shared" / "data" / "faces" / "teacher" / "yunet_n_dynamic.onnx"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine that `toy` is published on; the data folder is a fresh one."""
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "toy.onnx").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(pages)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    toy = fetched.Published(
        name="toy", does="is small", address=f"{address}/toy.onnx", sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT), licence="CC0",
    )  # fmt: skip
    monkeypatch.setitem(fetched.PUBLISHED, "toy", toy)
    monkeypatch.setenv("ROUGHCUT_DATA", str(tmp_path / "data"))
    yield address
    server.shutdown()
    server.server_close()


def test_it_comes_whole_and_once(site: str) -> None:
    """The content lies in the data folder, progress ends at all of it, and a second time nothing is read."""
    seen: list[tuple[float, float]] = []
    path = fetched.fetch("toy", progress=lambda _, done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ["toy.onnx"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert fetched.fetch("toy", source=f"{site}/gone.onnx") == path


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b"x" + CONTENT[1:]], ids=["short", "long", "other"])
def test_another_content_is_not_kept(site: str, tmp_path: Path, content: bytes) -> None:
    """Cut off, too long, or of the same length: refused, and nothing stays in the data folder."""
    other = tmp_path / "other.onnx"
    other.write_bytes(content)
    with pytest.raises(ModelError, match=r"not the file that was published, so nothing was kept.*SHA-256"):
        fetched.fetch("toy", source=str(other))
    assert list(fetched.folder().iterdir()) == []


def test_what_cannot_be_reached_is_told(site: str, tmp_path: Path) -> None:
    """A missing page, a closed port, a missing file, no address at all: one line that says how to go on."""
    for source in (f"{site}/gone.onnx", "http://127.0.0.1:9/toy.onnx", str(tmp_path / "gone"), "nothing://x"):
        with pytest.raises(ModelError, match=r"cannot be fetched.*models fetch toy --from FILE"):
            fetched.fetch("toy", source=source)
    assert list(fetched.folder().iterdir()) == []


def test_an_interrupted_fetch_leaves_nothing(site: str) -> None:
    """Ctrl-C on the way: no half file, under no name."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched.fetch("toy", progress=interrupt)
    assert list(fetched.folder().iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file stands where the data folder should be."""
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("ROUGHCUT_DATA", str(tmp_path / "taken"))
    with pytest.raises(OutputError, match="data folder cannot be written"):
        fetched.fetch("toy")


def test_a_name_means_the_fetched_file(site: str, tmp_path: Path) -> None:
    """Not fetched: told how. Fetched: its file. Altered since: refused. Other paths stay as they are."""
    assert fetched.file_of(tmp_path / "own.onnx") == tmp_path / "own.onnx"
    with pytest.raises(ModelError, match=r"toy: this network was not fetched yet.*roughcut models fetch toy"):
        fetched.file_of(Path("toy"))
    path = fetched.fetch("toy", source=f"{site}/toy.onnx")
    assert fetched.file_of(Path("toy")) == path
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(ModelError, match="was altered"):
        fetched.file_of(Path("toy"))
    assert fetched.fetch("toy").read_bytes() == CONTENT
    with pytest.raises(OptionError, match=r"no network of this name.*got nope.*allowed: .*yunet"):
        fetched.fetch("nope")


def test_the_command_line(site: str) -> None:
    """`models` lists what ships and what can be fetched; `models fetch` brings it; errors come as they are raised."""
    run = CliRunner()
    before = json.loads(run.invoke(app, ["models", "--json"]).stdout)
    assert {"shots", "encoder"} <= {m["name"] for m in before["shipped"]}
    assert all(m["description"] for m in before["shipped"])
    assert [m["file"] for m in before["published"] if m["name"] == "toy"] == [None]
    assert "not here: `roughcut models fetch toy`" in run.invoke(app, ["models"]).stdout
    told = json.loads(run.invoke(app, ["models", "fetch", "toy", "--json"]).stdout)
    assert Path(told["file"]).read_bytes() == CONTENT
    assert told["file"] in run.invoke(app, ["models"]).stdout
    assert isinstance(run.invoke(app, ["models", "fetch", "nope"]).exception, OptionError)


def test_what_is_pinned_is_pinned() -> None:
    """Every published network has an address over TLS, of one commit, and a whole SHA-256."""
    assert PINNED.address.startswith("https://")
    assert len([part for part in PINNED.address.split("/") if len(part) == 40]) == 1
    assert len(bytes.fromhex(PINNED.sha256)) == 32


@pytest.mark.skipif(not TEACHER.exists(), reason="the shared face detector is not here")
def test_the_detector_by_its_name(site: str) -> None:
    """The published file has the pinned content, and runs under its name."""
    fetched.fetch("yunet", source=str(TEACHER))
    FaceDetector(Path("yunet"))
