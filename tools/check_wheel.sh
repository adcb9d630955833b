#!/bin/sh
# Builds the wheel, installs it with pip alone into a clean environment whose PATH holds no compiler,
# and runs a job with it, away from the checkout. Takes the Python to make environments with and
# the folder of the project's own virtual environment's programs.
set -eu
python=$1
bin=$2
root=$(pwd)
rm -rf dist build/clean-environment
"$bin/pip" wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
"$python" -m venv build/clean-environment
clean=$root/build/clean-environment/bin
PATH=$clean "$clean/pip" install --quiet --disable-pip-version-check dist/penstock-*.whl
cd "$root/build/clean-environment"
cat > job.py <<'EOF'
import penstock as ray

class Double:
    def __call__(self, batch):
        batch["id"] *= 2
        return batch

dataset = ray.data.range(1000).map_batches(Double, batch_size=64, concurrency=2)
dataset.write_parquet("out")
total = sum(row["id"] for row in ray.data.read_parquet("out").iter_rows())
assert total == 999_000, total
print("wheel: a job ran in a clean environment")
EOF
PATH=$clean "$clean/python" -P job.py
test -f "$("$clean/python" -c 'import os, penstock; print(os.path.dirname(penstock.__file__))')/py.typed"
