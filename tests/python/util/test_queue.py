"""A queue between tasks, actors and the program: order, room, waiting, batches, its end."""

from __future__ import annotations

import asyncio
import queue
import threading
from pathlib import Path

import pytest

import penstock as ray
from penstock.exceptions import RayActorError
from penstock.util.queue import Empty, Full, Queue

PATIENCE_S = 60


@pytest.fixture
def make_queue():
    made = []

    def make(*args, **kwargs):
        made.append(Queue(*args, **kwargs))
        return made[-1]

    yield make
    for each in made:
        each.shutdown(force=True)


def test_items_come_out_in_the_order_in_which_they_went_in(make_queue):
    items = make_queue()
    for item in (1, "two", None, [4]):
        items.put(item)
    assert [items.get() for _ in range(4)] == [1, "two", None, [4]]


def test_it_tells_how_many_items_it_holds(make_queue):
    items = make_queue(maxsize=2)
    assert (len(items), items.qsize(), items.size()) == (0, 0, 0)
    assert items.empty()
    assert not items.full()
    items.put(1)
    items.put(2)
    assert len(items) == 2
    assert items.full()
    assert not items.empty()
    assert not make_queue().full()


def test_without_items_get_raises_empty(make_queue):
    items = make_queue()
    with pytest.raises(Empty):
        items.get_nowait()
    with pytest.raises(queue.Empty):
        items.get(block=False, timeout=-1)
    with pytest.raises(Empty):
        items.get(timeout=0.01)
    with pytest.raises(Empty):
        items.get(timeout=0)
    with pytest.raises(ValueError, match="negative"):
        items.get(timeout=-1)


def test_without_room_put_raises_full(make_queue):
    items = make_queue(maxsize=1)
    items.put(1)
    with pytest.raises(Full):
        items.put_nowait(2)
    with pytest.raises(queue.Full):
        items.put(2, block=False)
    with pytest.raises(Full):
        items.put(2, timeout=0.01)
    with pytest.raises(ValueError, match="negative"):
        items.put(2, timeout=-1)
    assert items.get() == 1
    assert items.empty()


@pytest.mark.parametrize("maxsize", [0, -1])
def test_without_a_size_there_is_room_for_any_number(make_queue, maxsize):
    items = make_queue(maxsize)
    items.put_nowait_batch(range(1000))
    assert len(items) == 1000
    assert not items.full()


def test_get_waits_for_an_item_and_put_for_room(make_queue):
    items = make_queue(maxsize=1)
    taken = []

    def take():
        taken.extend(items.get(timeout=PATIENCE_S) for _ in range(3))

    thread = threading.Thread(target=take)
    thread.start()
    for item in range(3):
        items.put(item, timeout=PATIENCE_S)
    thread.join(PATIENCE_S)
    assert taken == [0, 1, 2]


def test_batches_go_in_and_come_out_whole_or_not_at_all(make_queue):
    items = make_queue(maxsize=3)
    items.put_nowait_batch([1, 2])
    with pytest.raises(Full, match="2 items"):
        items.put_nowait_batch([3, 4])
    assert items.qsize() == 2
    with pytest.raises(Empty, match="3 items"):
        items.get_nowait_batch(3)
    assert items.get_nowait_batch(2) == [1, 2]
    assert items.get_nowait_batch(0) == []
    items.put_nowait_batch(item for item in (5, 6))
    assert items.get_nowait_batch(2) == [5, 6]


def test_what_is_no_batch_is_refused(make_queue):
    items = make_queue()
    with pytest.raises(TypeError, match=r"[iI]terable"):
        items.put_nowait_batch(5)
    with pytest.raises(TypeError, match="int"):
        items.get_nowait_batch("2")
    with pytest.raises(ValueError, match="negative"):
        items.get_nowait_batch(-1)


def test_tasks_and_actors_share_it_with_the_program(make_queue):
    @ray.remote
    class Doubler:
        def work(self, questions, answers):
            answers.put(2 * questions.get(timeout=PATIENCE_S))

    @ray.remote
    def ask(questions):
        questions.put(21)
        return len(questions)

    questions, answers = make_queue(), make_queue()
    doubler = Doubler.remote()
    done = doubler.work.remote(questions, answers)
    ray.get(ask.remote(questions))
    assert answers.get(timeout=PATIENCE_S) == 42
    ray.get(done)


def test_a_reference_is_put_as_its_value_unless_it_lies_in_something(make_queue):
    items = make_queue()
    items.put(ray.put("value"))
    assert items.get() == "value"
    items.put([ray.put("inner")])
    (reference,) = items.get()
    assert ray.get(reference) == "inner"


def test_coroutines_wait_without_holding_up_others(make_queue):
    items = make_queue(maxsize=1)

    async def work():
        taking = asyncio.create_task(items.get_async(timeout=PATIENCE_S))
        await items.put_async(1)
        assert await taking == 1
        await items.put_async(2, block=False)
        with pytest.raises(Full):
            await items.put_async(3, timeout=0.01)
        assert await items.get_async(block=False) == 2
        with pytest.raises(Empty):
            await items.get_async(block=False)
        with pytest.raises(Empty):
            await items.get_async(timeout=0.01)

    asyncio.run(work())


def test_any_number_may_wait_while_another_puts(make_queue):
    waiting = 1500  # Actors have a limit on calls at once, 1,000 by default.
    items = make_queue()

    async def work():
        takers = [asyncio.create_task(items.get_async()) for _ in range(waiting)]
        for item in range(waiting):
            await asyncio.wait_for(items.put_async(item), PATIENCE_S)
        assert sorted(await asyncio.gather(*takers)) == list(range(waiting))

    asyncio.run(work())


def test_the_actor_has_the_options_that_it_is_given(make_queue):
    items = make_queue(actor_options={"name": "the-queue"})
    assert ray.get_actor("the-queue") == items.actor


def test_after_its_end_everybody_hears_of_it(make_queue):
    items = make_queue()
    other = ray.get(ray.put(items))
    items.shutdown()
    items.shutdown()
    for call in (items.get, items.qsize, other.get, other.qsize):
        with pytest.raises(RayActorError):
            call()


@pytest.mark.parametrize("force", [True, False])
def test_who_waits_at_its_end_hears_of_it(make_queue, force):
    items = make_queue()
    heard = []

    def take():
        try:
            items.get()
        except RayActorError as error:
            heard.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    items.shutdown(force=force)
    thread.join(PATIENCE_S)
    assert len(heard) == 1


def test_what_was_put_before_a_quiet_end_has_arrived(make_queue, tmp_path):
    class Loud:
        def __init__(self, path):
            self.path = path

        def __reduce__(self):
            return _arrive, (self.path,)

    def _arrive(path):
        with Path(path).open("a") as file:
            file.write("arrived\n")

    items = make_queue()
    put = items.actor.put.remote(Loud(str(tmp_path / "log")), None)
    items.shutdown()
    ray.wait([put])
    assert (tmp_path / "log").read_text() == "arrived\n"


def test_who_is_interrupted_in_get_takes_nothing(run_script):
    done = run_script(
        "import os, signal, threading\n"
        "import penstock as ray\n"
        "from penstock.util.queue import Queue\n"
        "\n"
        "items = Queue()\n"
        "\n"
        "def interrupt():\n"
        "    waiting = lambda server: len(server._items._getters)\n"
        "    while not ray.get(items.actor.__ray_call__.remote(waiting)):\n"
        "        pass\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "\n"
        "threading.Thread(target=interrupt).start()\n"
        "try:\n"
        "    items.get()\n"
        "except KeyboardInterrupt:\n"
        "    items.put('item')\n"
        "    print(items.get(timeout=60))\n"
    )
    assert done.stdout == "item\n", done.stderr
