"""The course as a learner reads it: front page, lessons, lab pages.

Lessons and labs are read from disk through `labs.kit.catalog`; this application adds the reader: what they
have passed, what they have started, and where they go next. It owns no tables.
"""
