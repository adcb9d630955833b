from __future__ import annotations

from pathlib import Path

import pytest

from penstock.data.reading.paths import path_list, path_text


def test_paths_and_uris_stay_as_they_are_but_for_rays_local_scheme():
    assert path_text("file:///data/a%20b") == "file:///data/a%20b"
    assert path_text("s3://bucket/a") == "s3://bucket/a"
    assert path_text("local:///data/a") == "/data/a"
    assert path_text(Path("/data/a")) == "/data/a"


def test_one_path_and_several_become_a_list():
    assert path_list("a") == ["a"]
    assert path_list(Path("a")) == ["a"]
    assert path_list(["a", Path("b")]) == ["a", "b"]


def test_no_path_is_a_value_error():
    with pytest.raises(ValueError, match="At least one path"):
        path_list([])


@pytest.mark.parametrize("path", [3, b"a"])
def test_what_is_no_path_is_a_type_error(path):
    with pytest.raises(TypeError):
        path_text(path)
