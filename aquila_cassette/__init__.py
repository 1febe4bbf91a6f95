"""Record the streams of language model providers as streams, and replay them in tests."""
