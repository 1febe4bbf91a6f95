"""The cassette file: format version 1, its reader and writer, atomic merged saves."""
