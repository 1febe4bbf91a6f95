"""The deck: an open cassette, recording and replaying; which one is in force; what is open."""
