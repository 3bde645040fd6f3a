from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import filings
from crossfoot.errors import DataError, RecipeError
from crossfoot.tasks import downloads, fetch
from crossfoot.tasks.downloads import CONVFINQA_PATH, FINQA_PATH, get, present
from crossfoot.tasks.official import OFFICIAL, OfficialFile, read_pins


@dataclass
class Site:
    """What a local server offers, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    url: str = ""
    dies_after: list[int] = field(default_factory=list)  # bytes of the next answers
    statuses: list[int] = field(default_factory=list)  # of the next answers
    ranges: bool = True
    content_type: str = "text/plain"
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, Range header

    def handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "")
                site.asked.append((self.path.lstrip("/"), wanted))
                body = site.files.get(self.path.lstrip("/"))
                status = site.statuses.pop(0) if site.statuses else 200 if body is not None else 404
                body = body or b""
                match = re.fullmatch(r"bytes=(\d+)-", wanted) if site.ranges else None
                start = int(match.group(1)) if match else 0
                if status == 200 and match:
                    status = 206 if start < len(body) else 416
                self.send_response(status)
                self.send_header("Content-Type", site.content_type)
                if status == 206:
                    self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                rest = body[start:] if status in (200, 206) else b""
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                if status in (200, 206) and site.dies_after:
                    rest = rest[: site.dies_after.pop(0)]
                self.wfile.write(rest)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    offered = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), offered.handler())
    offered.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield offered
    server.shutdown()
    thread.join()
    server.server_close()


DEV = json.dumps([filings.finqa_record(number) for number in range(40)]).encode()
FINQA_DEV = f"{FINQA_PATH}/dev.json"


@pytest.fixture
def finqa(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A FinQA of one file of 40 questions."""
    known = OfficialFile(40, 40, hashlib.sha256(DEV).hexdigest(), len(DEV))
    monkeypatch.setitem(OFFICIAL, "finqa", {"dev": known})
    site.files[FINQA_DEV] = DEV
    return site


def _zip(members: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member if isinstance(member, str) else json.dumps(member))
    return content.getvalue()


TRAIN = [filings.convfinqa_record(number) for number in range(3)]
TALKS = {
    "data/train.json": TRAIN,
    "data/dev.json": TRAIN[:2],
    "data/train_turn.json": [{}],
    "data/test_private.json": "[]",
    "__MACOSX/data/train.json": "\x00",
}


@pytest.fixture
def convfinqa(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A ConvFinQA of 3 and 2 conversations of three turns."""
    counts = {"train": OfficialFile(3, 9), "dev": OfficialFile(2, 6)}
    monkeypatch.setitem(OFFICIAL, "convfinqa", counts)
    site.files[CONVFINQA_PATH] = _zip(TALKS)
    return site


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_hashes_and_counts_are_those_that_were_published() -> None:
    sizes = {split: known.size for split, known in OFFICIAL["finqa"].items()}
    assert sizes == {"train": 80_120_075, "dev": 11_222_546, "test": 14_750_900}
    assert all(known.sha256 and len(known.sha256) == 64 for known in OFFICIAL["finqa"].values())
    assert OFFICIAL["convfinqa"]["train"] == OfficialFile(3037, 11104)
    assert OFFICIAL["convfinqa"]["dev"] == OfficialFile(421, 1490)


def test_a_proxy_that_cannot_be_used_is_told(
    finqa: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks9://127.0.0.1:1080")
    with pytest.raises(DataError, match="the proxy in the environment cannot be used"):
        get("finqa", tmp_path, base_url=finqa.url)


def test_download_is_checked_and_called_official(finqa: Site, tmp_path: Path) -> None:
    (report,) = get("finqa", tmp_path, base_url=finqa.url)
    assert (report.official, report.status, report.conversations) == (True, "official", 40)
    assert (tmp_path / "finqa" / "dev.json").read_bytes() == DEV
    assert _names(tmp_path) == ["finqa/dev.json"]


def test_progress_ends_at_the_whole_size(finqa: Site, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    get("finqa", tmp_path, base_url=finqa.url, progress=lambda *told: seen.append(told))
    assert seen[-1] == ("dev.json", len(DEV), len(DEV))


def test_file_that_is_there_is_not_downloaded_again_unless_forced(
    finqa: Site, tmp_path: Path
) -> None:
    filings.write(tmp_path / "finqa" / "dev.json", [filings.finqa_record()])
    (report,) = get("finqa", tmp_path, base_url=finqa.url)
    assert report.status == "not the official file: 1 of 40 questions"
    assert finqa.asked == []
    (report,) = get("finqa", tmp_path, base_url=finqa.url, force=True)
    assert report.official


def test_server_that_dies_midway_is_asked_for_the_rest(finqa: Site, tmp_path: Path) -> None:
    finqa.dies_after = [1000, 2000]
    (report,) = get("finqa", tmp_path, base_url=finqa.url, pause=0)
    assert report.official
    assert [asked for _, asked in finqa.asked] == ["", "bytes=1000-", "bytes=3000-"]


def test_interrupted_download_goes_on_in_the_next_command(finqa: Site, tmp_path: Path) -> None:
    finqa.dies_after = [1000] + [0] * (fetch.ATTEMPTS - 1)
    with pytest.raises(DataError, match=r"failed after 5 attempts.*run the command again"):
        get("finqa", tmp_path, base_url=finqa.url, pause=0)
    assert _names(tmp_path) == ["finqa/dev.json.part"]
    finqa.asked.clear()
    (report,) = get("finqa", tmp_path, base_url=finqa.url)
    assert report.official
    assert finqa.asked == [(FINQA_DEV, "bytes=1000-")]


def test_server_without_ranges_sends_the_whole_again(finqa: Site, tmp_path: Path) -> None:
    finqa.ranges = False
    finqa.dies_after = [1000]
    (report,) = get("finqa", tmp_path, base_url=finqa.url, pause=0)
    assert report.official


def test_part_that_was_whole_already_is_used(finqa: Site, tmp_path: Path) -> None:
    (tmp_path / "finqa").mkdir()
    (tmp_path / "finqa" / "dev.json.part").write_bytes(DEV)
    (report,) = get("finqa", tmp_path, base_url=finqa.url)
    assert report.official
    assert len(finqa.asked) == 1


@pytest.mark.parametrize("stale", [b"x" * 500, b"x" * (len(DEV) + 10)])
def test_part_of_another_file_is_thrown_away(finqa: Site, tmp_path: Path, stale: bytes) -> None:
    (tmp_path / "finqa").mkdir()
    (tmp_path / "finqa" / "dev.json.part").write_bytes(stale)
    (report,) = get("finqa", tmp_path, base_url=finqa.url)
    assert report.official
    assert finqa.asked[-1] == (FINQA_DEV, "")


def test_wrong_hash_leaves_nothing(finqa: Site, tmp_path: Path) -> None:
    finqa.files[FINQA_DEV] = DEV.replace(b"5829", b"5830")
    with pytest.raises(DataError, match=r"sha256 .* instead of .*--from DIR"):
        get("finqa", tmp_path, base_url=finqa.url)
    assert _names(tmp_path) == []


def test_wrong_hash_leaves_the_file_that_was_there(finqa: Site, tmp_path: Path) -> None:
    path = filings.write(tmp_path / "finqa" / "dev.json", [filings.finqa_record()])
    before = path.read_bytes()
    finqa.files[FINQA_DEV] = DEV.replace(b"5829", b"5830")
    with pytest.raises(DataError, match="sha256"):
        get("finqa", tmp_path, base_url=finqa.url, force=True)
    assert path.read_bytes() == before


def test_larger_file_is_refused_before_it_is_received(finqa: Site, tmp_path: Path) -> None:
    finqa.files[FINQA_DEV] = DEV + b" " * 100
    with pytest.raises(DataError, match="larger than"):
        get("finqa", tmp_path, base_url=finqa.url)
    assert _names(tmp_path) == []


def test_absent_file_is_told_at_once(finqa: Site, tmp_path: Path) -> None:
    finqa.files.clear()
    with pytest.raises(DataError, match="HTTP 404"):
        get("finqa", tmp_path, base_url=finqa.url)
    assert len(finqa.asked) == 1


def test_busy_server_is_asked_again(finqa: Site, tmp_path: Path) -> None:
    finqa.statuses = [503, 429]
    (report,) = get("finqa", tmp_path, base_url=finqa.url, pause=0)
    assert report.official


def test_server_that_stays_busy_ends_the_download(finqa: Site, tmp_path: Path) -> None:
    finqa.statuses = [503] * fetch.ATTEMPTS
    with pytest.raises(DataError, match="HTTP 503"):
        get("finqa", tmp_path, base_url=finqa.url, pause=0)


def test_web_page_is_not_taken_for_data(finqa: Site, tmp_path: Path) -> None:
    finqa.content_type = "text/html; charset=utf-8"
    finqa.files[FINQA_DEV] = b"<html>please log in</html>"
    with pytest.raises(DataError, match="sent a web page"):
        get("finqa", tmp_path, base_url=finqa.url)
    assert _names(tmp_path) == []


def test_unreachable_server_is_one_line(tmp_path: Path, finqa: Site) -> None:
    with pytest.raises(DataError, match="failed after 5 attempts") as caught:
        get("finqa", tmp_path, base_url="http://127.0.0.1:9", pause=0)
    assert "\n" not in str(caught.value)


def test_archive_is_unpacked_and_its_hash_pinned(convfinqa: Site, tmp_path: Path) -> None:
    train, dev = get("convfinqa", tmp_path, base_url=convfinqa.url)
    assert (train.conversations, train.turns, train.status) == (3, 9, "official")
    assert (dev.conversations, dev.turns, dev.official) == (2, 6, True)
    assert _names(tmp_path) == ["convfinqa/dev.json", "convfinqa/train.json", "pins.json"]
    digest = hashlib.sha256(convfinqa.files[CONVFINQA_PATH]).hexdigest()
    assert read_pins(tmp_path)["convfinqa/data.zip"] == digest


def test_later_archive_with_another_hash_is_refused(convfinqa: Site, tmp_path: Path) -> None:
    get("convfinqa", tmp_path, base_url=convfinqa.url)
    before = (tmp_path / "convfinqa" / "train.json").read_bytes()
    convfinqa.files[CONVFINQA_PATH] = _zip(TALKS | {"data/new.txt": "x"})
    with pytest.raises(DataError, match=r"differs from that of the first download.*pins.json"):
        get("convfinqa", tmp_path, base_url=convfinqa.url, force=True)
    assert (tmp_path / "convfinqa" / "train.json").read_bytes() == before


def test_archive_with_the_same_hash_can_be_got_again(convfinqa: Site, tmp_path: Path) -> None:
    get("convfinqa", tmp_path, base_url=convfinqa.url)
    (tmp_path / "convfinqa" / "dev.json").unlink()
    assert all(report.official for report in get("convfinqa", tmp_path, base_url=convfinqa.url))


def test_file_that_was_there_stays_when_the_other_is_downloaded(
    convfinqa: Site, tmp_path: Path
) -> None:
    own = filings.write(tmp_path / "convfinqa" / "train.json", TRAIN[:1])
    before = own.read_bytes()
    train, dev = get("convfinqa", tmp_path, base_url=convfinqa.url)
    assert own.read_bytes() == before
    assert train.status == "not the official file: 1 of 3 conversations"
    assert dev.official


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data/train.json": TRAIN[:2]}, "train.json holds 2 conversations and 6 turns"),
        ({"data/dev.json": [filings.convfinqa_record(dialogue_break=["a"])] * 2}, "and 2 turns"),
        ({"old/train.json": TRAIN}, "2 files named train.json"),
        ({"data/dev.json": {}}, "not a list of records"),
        ({"data/dev.json": '[{"annotation"'}, "not valid JSON"),
        ({"data/dev.json": [{"annotation": {}}]}, "no annotation.dialogue_break"),
    ],
)
def test_archive_with_other_content_is_refused_and_leaves_nothing(
    convfinqa: Site, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    convfinqa.files[CONVFINQA_PATH] = _zip(TALKS | changes)
    with pytest.raises(DataError, match=said):
        get("convfinqa", tmp_path, base_url=convfinqa.url)
    assert _names(tmp_path) == []


def test_archive_without_the_files_is_refused(convfinqa: Site, tmp_path: Path) -> None:
    convfinqa.files[CONVFINQA_PATH] = _zip({"readme.txt": "hello"})
    with pytest.raises(DataError, match=r"0 files named train\.json"):
        get("convfinqa", tmp_path, base_url=convfinqa.url)


def test_paths_of_the_archive_are_not_followed(convfinqa: Site, tmp_path: Path) -> None:
    inside = {"../../train.json": TRAIN, "/etc/dev.json": TRAIN[:2]}
    convfinqa.files[CONVFINQA_PATH] = _zip(inside)
    folder = tmp_path / "a" / "b"
    get("convfinqa", folder, base_url=convfinqa.url)
    assert _names(tmp_path) == [
        "a/b/convfinqa/dev.json",
        "a/b/convfinqa/train.json",
        "a/b/pins.json",
    ]


def test_member_that_swells_is_bounded(
    convfinqa: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_MEMBER_BYTES", 1000)
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        get("convfinqa", tmp_path, base_url=convfinqa.url)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("body", [b"not a zip", b"PK\x03\x04 truncated"])
def test_what_is_no_zip_is_refused(convfinqa: Site, tmp_path: Path, body: bytes) -> None:
    convfinqa.files[CONVFINQA_PATH] = body
    with pytest.raises(DataError, match="not a zip file"):
        get("convfinqa", tmp_path, base_url=convfinqa.url)
    assert _names(tmp_path) == []


def test_damaged_zip_is_refused(convfinqa: Site, tmp_path: Path) -> None:
    whole = bytearray(convfinqa.files[CONVFINQA_PATH])
    whole[60:90] = b"\xff" * 30
    convfinqa.files[CONVFINQA_PATH] = bytes(whole)
    with pytest.raises(DataError, match="not readable as a zip"):
        get("convfinqa", tmp_path, base_url=convfinqa.url)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("pins", ["{", "[]", '{"convfinqa/data.zip": 3}'])
def test_damaged_pins_are_named(tmp_path: Path, pins: str) -> None:
    (tmp_path / "pins.json").write_text(pins)
    with pytest.raises(DataError, match=r"pins\.json.*delete it"):
        present(tmp_path)


@pytest.mark.parametrize("place", ["convfinqa/{}.json", "{}.json", "data/{}.json"])
def test_files_are_copied_from_a_folder_of_any_layout(
    convfinqa: Site, tmp_path: Path, place: str
) -> None:
    source = tmp_path / "source"
    filings.write(source / place.format("train"), TRAIN[:1])
    filings.write(source / place.format("dev"), TRAIN[:2])
    train, dev = get("convfinqa", tmp_path / "data", source=source)
    assert train.status == "not the official file: 1 of 3 conversations"
    assert (dev.official, dev.conversations) == (None, 2)
    assert _names(tmp_path / "data") == ["convfinqa/dev.json", "convfinqa/train.json"]
    assert convfinqa.asked == []


def test_archive_of_a_clone_is_unpacked(convfinqa: Site, tmp_path: Path) -> None:
    clone = tmp_path / "ConvFinQA"
    clone.mkdir()
    (clone / "data.zip").write_bytes(convfinqa.files[CONVFINQA_PATH])
    reports = get("convfinqa", tmp_path / "data", source=clone)
    assert [report.conversations for report in reports] == [3, 2]
    assert (clone / "data.zip").exists()


def test_official_file_is_recognised_in_a_local_copy(finqa: Site, tmp_path: Path) -> None:
    (tmp_path / "FinQA" / "dataset").mkdir(parents=True)
    (tmp_path / "FinQA" / "dataset" / "dev.json").write_bytes(DEV)
    (report,) = get("finqa", tmp_path / "data", source=tmp_path / "FinQA")
    assert report.status == "official"


def test_same_counts_with_another_hash_are_told(finqa: Site, tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_bytes(DEV + b"\n")
    (report,) = get("finqa", tmp_path / "data", source=tmp_path)
    assert report.status == "not the official file: same counts, other sha256"


def test_folder_copied_onto_itself_stays_as_it_is(convfinqa: Site, tmp_path: Path) -> None:
    filings.write(tmp_path / "convfinqa" / "train.json", TRAIN)
    get("convfinqa", tmp_path, source=tmp_path, force=True)
    assert _names(tmp_path) == ["convfinqa/train.json"]


def test_bad_source_is_refused_and_leaves_nothing(convfinqa: Site, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with pytest.raises(DataError, match="no such folder"):
        get("convfinqa", data, source=tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no train\.json, dev\.json of convfinqa here"):
        get("convfinqa", data, source=tmp_path / "empty")
    filings.write(tmp_path / "other" / "train.json", TRAIN)
    filings.write(tmp_path / "other" / "dev.json", [filings.finqa_record()])
    with pytest.raises(DataError, match="give a file of the format of ConvFinQA"):
        get("convfinqa", data, source=tmp_path / "other")
    assert _names(data) == []


def test_bad_source_is_refused_even_where_the_files_are_there(
    convfinqa: Site, tmp_path: Path
) -> None:
    get("convfinqa", tmp_path, base_url=convfinqa.url, pause=0)
    with pytest.raises(DataError, match="no such folder"):
        get("convfinqa", tmp_path, source=tmp_path / "nowhere")


def test_task_without_official_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="crossfoot data synth"):
        get("synthetic", tmp_path)
    with pytest.raises(RecipeError, match="did you mean finqa"):
        get("finq", tmp_path)


def test_data_folder_that_is_a_file_is_named(finqa: Site, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DataError, match="CROSSFOOT_DATA"):
        get("finqa", tmp_path / "data", base_url=finqa.url)


def test_shared_files_are_told_from_the_official_ones(shared_data: Path) -> None:
    reports = {f"{r.task}/{r.split}": r for r in present(shared_data)}
    assert reports["convfinqa/train"].status == (
        "not the official file: 709 of 3,037 conversations"
    )
    assert reports["finqa/train"].status == "not the official file: 3,375 of 6,251 questions"
    assert reports["convfinqa/dev"].official is None
    assert reports["finqa/dev"].official is False
