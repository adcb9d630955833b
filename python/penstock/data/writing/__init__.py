"""Verbs that write, and what file formats take as options."""
