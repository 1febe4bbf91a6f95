"""A chat in the terminal, made with Textual and the streaming client."""
