"""An example: a chat in a web page, whose answers grow while they come."""
