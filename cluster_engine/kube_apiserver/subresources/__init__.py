"""Subresources: one file each, named as in the URL."""
