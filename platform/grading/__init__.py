"""Attempts, submissions, best scores."""
