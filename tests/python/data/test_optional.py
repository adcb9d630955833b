"""Libraries that only some verbs need: who needs one says which extra installs it."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

import penstock
from penstock import data
from penstock.data import optional
from penstock.data.expressions.download import Download
from penstock.train import Result

REPOSITORY = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PACKAGES = {"PIL": "pillow", "lance": "pylance"}  # Those that are called other than their module.
OF_THE_CALLER = {"dask"}  # It made what is given to from_dask.


def trees():
    for path in sorted((REPOSITORY / "python/penstock").rglob("*.py")):
        yield ast.parse(path.read_text())


def is_for_types(node):
    return isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"


def imported(node):
    """Yield the names of the packages that are imported when the code runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (name.name.partition(".")[0] for name in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module.partition(".")[0]
        elif not is_for_types(child):
            yield from imported(child)


def required():
    """Yield (module, extra) of each call of `require` that names them."""
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require":
                names = [node.args[0], *(key.value for key in node.keywords if key.arg == "extra")]
                if all(isinstance(name, ast.Constant) for name in names):
                    yield tuple(name.value for name in names)


def test_what_is_imported_is_a_dependency_or_required_where_it_is_used():
    dependencies = {re.match(r"\w+", text)[0] for text in PROJECT["dependencies"]}
    found = {name for tree in trees() for name in imported(tree)} - sys.stdlib_module_names
    others = found - dependencies - OF_THE_CALLER - {"penstock"}
    assert others == {module for module, _ in required()}


def test_the_extra_that_an_error_names_installs_the_library():
    for module, extra in required():
        packages = [re.match(r"[\w-]+", text)[0] for text in EXTRAS[extra]]
        assert PACKAGES.get(module, module) in packages, (module, extra)


def test_every_extra_is_named_by_an_error_and_by_the_readme():
    assert {extra for _, extra in required()} == EXTRAS.keys()
    readme = (REPOSITORY / "README.md").read_text()
    (listed,) = re.findall(r"which extra installs it: ((?:`\w+`,?\s)+)", readme)
    assert re.findall(r"\w+", listed) == sorted(EXTRAS)


def dataset():
    return data.range(3)


def samples(name, content):
    from penstock.data.python_sources.webdataset import decode_by_suffix

    return decode_by_suffix({name: content}, "a.tar", as_pillow=False)


def downloaded(uri):
    options = {"filesystem": None, "allow_private_addresses": False, "max_bytes": 1}
    return Download(**options, timeout_s=1, connections=1, on_error="raise")._read(uri)


VERBS = {
    "read_avro": ("fastavro", "avro", lambda: data.read_avro("a")),
    "read_audio": ("soundfile", "audio", lambda: data.read_audio("a")),
    "read_videos": ("av", "video", lambda: data.read_videos("a")),
    "read_lance": ("lance", "lance", lambda: data.read_lance("a")),
    "write_lance": ("lance", "lance", lambda: dataset().write_lance("a")),
    "read_delta": ("deltalake", "delta", lambda: data.read_delta("a")),
    "write_delta": ("deltalake", "delta", lambda: dataset().write_delta("a")),
    "read_iceberg": ("pyiceberg", "iceberg", lambda: data.read_iceberg(table_identifier="a.b")),
    "write_iceberg": ("pyiceberg", "iceberg", lambda: dataset().write_iceberg("a.b")),
    "from_huggingface": ("datasets", "huggingface", lambda: data.from_huggingface(1)),
    "from_torch": ("torch", "torch", lambda: data.from_torch(1)),
    "iter_torch_batches": ("torch", "torch", lambda: dataset().iter_torch_batches()),
    "to_torch": ("torch", "torch", lambda: dataset().to_torch()),
    "batch_format='torch'": (
        "torch",
        "torch",
        lambda: dataset().map_batches(len, batch_format="torch"),
    ),
    "iter_tf_batches": ("tensorflow", "tensorflow", lambda: dataset().iter_tf_batches()),
    "to_tf": ("tensorflow", "tensorflow", lambda: dataset().to_tf("id", "id")),
    "to_pandas": ("pandas", "pandas", lambda: dataset().to_pandas()),
    "to_pandas_refs": ("pandas", "pandas", lambda: dataset().to_pandas_refs()),
    "DatasetSummary.to_pandas": ("pandas", "pandas", lambda: dataset().summary().to_pandas()),
    "get_column_stats": ("pandas", "pandas", lambda: dataset().summary().get_column_stats("id")),
    "batch_format='pandas'": (
        "pandas",
        "pandas",
        lambda: dataset().iter_batches(batch_format="pandas"),
    ),
    "metrics_dataframe": (
        "pandas",
        "pandas",
        lambda: Result(None, None, None, "", [{"a": 1}], [], None).metrics_dataframe,
    ),
    "read_csv of memory://": ("fsspec", "fsspec", lambda: data.read_csv("memory://a.csv")),
    "What begins with memory://": ("fsspec", "fsspec", lambda: data.read_avro("memory://a.avro")),
    "download of memory://": ("fsspec", "fsspec", lambda: downloaded("memory://a")),
    "The decoder of images": ("PIL", "webdataset", lambda: samples("png", b"")),
    "The decoder of .mp": ("msgpack", "webdataset", lambda: samples("mp", b"")),
    "TorchTrainer": ("torch", "torch", lambda: penstock.train.torch.TorchTrainer(print)),
    "XGBoostTrainer": ("xgboost", "xgboost", lambda: penstock.train.xgboost.XGBoostTrainer(print)),
}


@pytest.mark.parametrize("verb", VERBS)
def test_without_its_library_a_verb_names_the_extra(verb, monkeypatch):
    module, extra, call = VERBS[verb]
    find = importlib.util.find_spec
    monkeypatch.setattr(
        optional.importlib.util, "find_spec", lambda name: None if name == module else find(name)
    )
    words = rf"^{re.escape(verb)}.* needs the library {module}; .*pip install 'penstock\[{extra}\]'"
    with pytest.raises(ImportError, match=words):
        call()
