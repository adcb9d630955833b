from __future__ import annotations

import subprocess
import sys

import pytest

import penstock
import penstock.data

HEAVY = ("numpy", "pandas", "pyarrow", "rich", "torch", "cloudpickle", "inspect", "dataclasses")


def loaded_after(code: str) -> list[str]:
    script = f"import sys\n{code}\nprint([n for n in {HEAVY} if n in sys.modules])"
    command = [sys.executable, "-S", "-c", f"sys_path = {sys.path!r}\n"]
    command[-1] += f"import sys; sys.path = sys_path\n{script}"
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return eval(done.stdout)


@pytest.mark.parametrize(
    "code",
    [
        "import penstock",
        "import penstock.data",
        "import penstock; penstock.data.range",
        "import penstock; penstock.data.DataContext.get_current()",
        "import penstock; penstock.data.range(10).limit(3).select_columns(['id'])",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code):
    assert loaded_after(code) == []


def test_every_name_that_the_packages_list_is_there():
    for package in (penstock, penstock.data):
        for name in package.__all__:
            assert getattr(package, name) is not None
            assert name in dir(package)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'penstock' has no attribute 'nothing'"):
        penstock.nothing  # noqa: B018
    with pytest.raises(AttributeError, match=r"'penstock.data' has no attribute 'nothing'"):
        penstock.data.nothing  # noqa: B018
