"""Paths as users write them."""

from pathlib import Path

from crossfoot.files import user_path


def test_a_home_is_found_and_an_unknown_one_stays_as_it_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/runs/mine") == tmp_path / "runs" / "mine"
    assert user_path(Path("runs/mine")) == Path("runs/mine")
    assert user_path("~no-such-user/runs") == Path("~no-such-user/runs")


def test_a_run_in_an_unknown_home_is_refused_in_one_line(crossfoot):
    code, out, err = crossfoot("eval", "~no-such-user/run")
    assert (code, out) == (2, "")
    assert err == (
        "crossfoot: ~no-such-user/run is no run: it has no recipe.yaml; "
        "name a task, and an adapter with --adapter\n"
    )
