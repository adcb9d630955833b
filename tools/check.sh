#!/bin/sh
# Format, lint, types, layers and comments. Takes the folder of the virtual environment's programs.
set -eu
bin=$1
python=$bin/python
sources=$(git ls-files -co --exclude-standard '*.cc' '*.h')

echo "layers"
"$python" tools/check_layers.py
echo "comments of public headers"
"$python" tools/check_documented.py
echo "clang-format"
# shellcheck disable=SC2086  # The list is meant to be split.
"$bin/clang-format" --dry-run --Werror $sources
echo "ruff"
"$bin/ruff" format --check --quiet .
"$bin/ruff" check --quiet .
echo "mypy"
"$bin/mypy"
echo "clang-tidy"
"$python" tools/check_tidy.py
echo "check: all clean"
