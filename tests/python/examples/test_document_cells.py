"""Code is found in documents of three kinds, and what is no Python is left out."""

from __future__ import annotations

import json

from document_cells import cells_of


def test_a_notebook_s_code_cells_are_found(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["import nothing\n"]},
        {"cell_type": "code", "source": ["import os\n", "os.getpid()"]},
        {"cell_type": "code", "source": ["1 + 1"]},
    ]
    (tmp_path / "notebook").write_text(json.dumps({"cells": cells}))
    assert cells_of(tmp_path / "notebook") == ["import os\nos.getpid()", "1 + 1"]


def test_directives_with_python_are_found_at_any_depth(tmp_path):
    (tmp_path / "guide").write_text(
        "Words\n"
        "    .. testcode::\n"
        "        :skipif: True\n"
        "\n"
        "        for one in []:\n"
        "\n"
        "            print(one)\n"
        "\n"
        "    .. testoutput::\n"
        "\n"
        "        nothing\n"
        "\n"
        ".. code-block:: python\n"
        "\n"
        "    import os\n"
        ".. code-block:: bash\n"
        "\n"
        "    pip install nothing\n"
    )
    assert cells_of(tmp_path / "guide") == ["for one in []:\n\n    print(one)", "import os"]


def test_parts_of_a_plain_text_that_are_python_are_found(tmp_path):
    (tmp_path / "page").write_text(
        "Heading\n\n\nA sentence, and another.\n\n\n"
        "import os\n\nos.getpid()\n  \n\nWord\n\n\n# Only.\n"
    )
    assert cells_of(tmp_path / "page") == ["import os\n\nos.getpid()"]
