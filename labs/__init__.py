"""The course: lessons and labs on disk, and the small library that their checkers are written with.

``catalog`` reads the folders, ``checking`` is what a lab's ``check.py`` imports, ``runner`` boots a lab and
grades it, ``sweep`` proves every lab. Nothing here knows of Django.
"""
