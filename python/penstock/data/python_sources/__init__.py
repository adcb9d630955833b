"""Sources whose reading runs in worker processes, through other libraries."""
