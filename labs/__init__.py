"""The course: chapters of lessons and labs on disk. The library that reads, runs and proves them is ``labs.kit``."""
