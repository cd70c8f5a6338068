"""Devices tried out by themselves, each in a process that can be killed.

Only when no meeting needs them: `borrow` gives them back at once when one begins.
"""
