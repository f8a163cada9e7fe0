"""The learner's terminal: processes on a machine of its own (`linux`), and the one real program beside it, confined.

`console.Console` is the machine with its ttys, files and programs, all of it data; `session.TerminalSession` binds it
to an event loop, its clock to whoever owns time, and its calls to the real kubectl (`confine`, `child`, `launcher`).
"""
