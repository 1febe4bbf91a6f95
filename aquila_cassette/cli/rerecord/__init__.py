"""Recording cassettes again: which tests to run for it, and how to do without them.

Nothing here knows pytest or a terminal. Nothing but `live` sends anything.
"""
