"""An example: a test with each SDK, recorded and replayed."""
