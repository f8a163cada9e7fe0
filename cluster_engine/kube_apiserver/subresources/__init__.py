"""What answers subresources: one file each, named as in the URL.

Which ones a kind has, with their verbs and what answers them, stands in the kind's file.
"""
