"""What runs inside a worker process, and what the driver needs to start one."""
