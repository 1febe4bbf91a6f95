"""What is pending in this process, and waiting until nothing is."""
