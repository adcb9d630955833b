"""A program under `python -m penstock.as_ray` runs as under python alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import zipfile

import pytest

_FACTS = """
import sys, builtins
print(__name__, __file__, __package__, __cached__, type(__loader__), __doc__)
print(__spec__ and (__spec__.name, __spec__.origin, __spec__.parent))
print(sys.argv, sys.path)
print(sys.modules["__main__"].__dict__ is globals(), __builtins__ is builtins)
print(sorted(name for name in globals() if name not in ("sys", "builtins", "__annotations__")))
"""


@pytest.fixture
def compare(run_python):
    """Run python with arguments, with and without us; all must be the same. Return the one."""

    def run(*arguments, **variables):
        alone = run_python(*arguments, **variables)
        ours = run_python("-m", "penstock.as_ray", *arguments, **variables)
        assert ours.stdout == alone.stdout
        assert ours.stderr == alone.stderr
        assert ours.returncode == alone.returncode
        return ours

    return run


def test_a_script_sees_what_it_sees_under_python(compare, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "script.py").write_text(f'"""Its own words."""{_FACTS}')
    done = compare("folder/script.py", "--epochs", "3", "-m", "-h")
    assert done.returncode == 0
    assert "'--epochs', '3', '-m', '-h'" in done.stdout
    compare(str(tmp_path / "folder" / "script.py"))


def test_a_script_s_folder_is_where_the_file_is_that_a_link_leads_to(compare, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "script.py").write_text(f"import neighbour{_FACTS}")
    (tmp_path / "real" / "neighbour.py").write_text("")
    (tmp_path / "link.py").symlink_to("real/script.py")
    assert compare("link.py").returncode == 0


def test_a_safe_path_stays_safe(compare, tmp_path):
    (tmp_path / "script.py").write_text(_FACTS)
    assert compare("script.py", PYTHONSAFEPATH="1").returncode == 0


def test_a_module_runs_as_with_m(compare, tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("print('package', __name__)")
    (tmp_path / "package" / "__main__.py").write_text(f"from . import other{_FACTS}")
    (tmp_path / "package" / "other.py").write_text(_FACTS)
    assert compare("-m", "package", "argument").returncode == 0
    assert compare("-m", "package.other", "-x").returncode == 0


def test_a_folder_and_a_zip_file_run_their_main(compare, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__main__.py").write_text(_FACTS)
    with zipfile.ZipFile(tmp_path / "archive.pyz", "w") as archive:
        archive.writestr("__main__.py", _FACTS)
    assert compare("folder", "argument").returncode == 0
    assert compare("archive.pyz", "argument").returncode == 0


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "sys.exit()",
        "sys.exit(3)",
        "sys.exit('said at the end')",
        "raise SystemExit(True)",
        "def inner(): return 1 / 0\n\ninner()",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError(5) from error",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    undefined",
        "import json\njson.loads('{')",
        "import missing_module",
        "raise ExceptionGroup('several', [ValueError(1), KeyError(2)])",
        "raise KeyboardInterrupt",
        "sys.excepthook = lambda kind, error, trace: print('hook', kind, trace.tb_lineno)\n1 / 0",
        "import os\nos._exit(7)",
        "import atexit\natexit.register(print, 'at the end')\n1 / 0",
        "import threading\nthreading.Thread(target=print, args=('thread',)).start()",
    ],
)
def test_a_script_ends_as_under_python(compare, tmp_path, ending):
    (tmp_path / "script.py").write_text(f"import sys\n\n{ending}\n")
    compare("script.py")


def test_a_traceback_shows_the_program_s_own_frames_alone(run_python, tmp_path):
    (tmp_path / "script.py").write_text("def inner():\n    return 1 / 0\n\ninner()\n")
    done = run_python("-m", "penstock.as_ray", "script.py")
    assert done.stderr.count("  File ") == 2
    assert "penstock" not in done.stderr


@pytest.mark.parametrize("text", ["def f(:\n", "  indented = 1\n"])
def test_what_is_no_python_is_told_as_python_does(compare, tmp_path, text):
    (tmp_path / "script.py").write_text(text)
    assert compare("script.py").returncode == 1


def test_what_a_module_raises_shows_its_own_frames_alone(run_python, tmp_path):
    (tmp_path / "module.py").write_text("1 / 0\n")
    done = run_python("-m", "penstock.as_ray", "-m", "module")
    assert done.returncode == 1
    assert done.stderr.count("  File ") == 1


def test_a_module_that_is_no_python_shows_where_alone(run_python, tmp_path):
    (tmp_path / "module.py").write_text("def f(:\n")
    done = run_python("-m", "penstock.as_ray", "-m", "module")
    assert done.returncode == 1
    assert done.stderr.startswith(f'  File "{tmp_path}/module.py", line 1\n')


def test_ctrl_c_ends_it_as_the_signal_does(run_python, tmp_path):
    (tmp_path / "script.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = run_python("-m", "penstock.as_ray", "script.py")
    assert done.returncode == -signal.SIGINT
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (["missing.py"], 2, "missing.py"),
        (["forbidden.py"], 2, "forbidden.py"),
        (["empty-folder"], 1, "__main__.py in: empty-folder"),
        (["-m", "missing_module"], 1, "missing_module"),
        (["-m", "missing.module"], 1, "missing.module"),
        (["-m", "empty_package"], 1, "empty_package.__main__"),
        ([], 2, "usage: "),
        (["-m"], 2, "usage: "),
        (["--wrong"], 2, "unknown option: --wrong"),
    ],
)
def test_what_is_not_there_is_told_in_a_line(run_python, tmp_path, arguments, exit_code, told):
    (tmp_path / "forbidden.py").symlink_to("forbidden.py")  # Cannot be opened, even by root.
    (tmp_path / "empty-folder").mkdir()
    (tmp_path / "empty_package").mkdir()
    (tmp_path / "empty_package" / "__init__.py").write_text("")
    done = run_python("-m", "penstock.as_ray", *arguments)
    assert done.returncode == exit_code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_package_that_fails_to_be_imported_says_so_itself(run_python, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").write_text("import missing_module\n")
    done = run_python("-m", "penstock.as_ray", "-m", "broken.main")
    assert done.returncode == 1
    assert "No module named 'missing_module'" in done.stderr


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_printed(run_python, option):
    done = run_python("-m", "penstock.as_ray", option)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python -m penstock.as_ray script.py")


def test_standard_input_is_the_script_s(tmp_path):
    (tmp_path / "script.py").write_text("print(input())")
    command = [sys.executable, "-m", "penstock.as_ray", str(tmp_path / "script.py")]
    done = subprocess.run(command, input="a line", capture_output=True, text=True, check=True)
    assert done.stdout == "a line\n"
