"""Make the HTML report."""
