"""What `empty_stage` is compared with: the MiniLM job as it is. Argument: texts file."""

import minilm_penstock  # noqa: F401 - imported, it runs.
