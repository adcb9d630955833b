"""Verbs that read: files, tables of other systems, rows in memory."""
