"""The names of actors are listed."""

from __future__ import annotations

import pytest

import penstock as ray
from penstock.util import list_named_actors


@ray.remote
class Nothing:
    def answer(self):
        return 1


def test_names_are_listed_while_their_actors_live():
    ray.shutdown()
    ray.init(num_cpus=2, namespace="here")
    try:
        assert list_named_actors() == []
        kept = [Nothing.options(name=name).remote() for name in ("one", "other")]
        Nothing.remote()
        away = Nothing.options(name="one", namespace="there").remote()
        assert list_named_actors() == ["one", "other"]
        assert list_named_actors(all_namespaces=True) == [
            {"namespace": "here", "name": "one"},
            {"namespace": "here", "name": "other"},
            {"namespace": "there", "name": "one"},
        ]

        @ray.remote
        def look():
            return list_named_actors()

        assert ray.get(look.remote()) == ["one", "other"]
        ray.kill(kept[0])
        assert list_named_actors() == ["other"]
        with pytest.raises(ValueError, match="no actor of the name 'one'"):
            ray.get_actor("one")
        assert ray.get(away.answer.remote()) == 1
    finally:
        ray.shutdown()
