"""What is still going on, who does it, and waiting until nothing is; knows no HTTP and no view."""
