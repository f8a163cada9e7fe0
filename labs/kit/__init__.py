"""The library of the course.

``catalog`` reads the folders, ``checking`` is what a lab's ``check.py`` imports, ``runner`` boots a lab and
grades it, ``sweep`` proves every lab. Nothing here knows of Django.
"""
