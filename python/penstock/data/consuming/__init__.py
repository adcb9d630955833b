"""Verbs that run a data set and hand over what comes out."""
