"""Make the HTML report."""

from aquila_cassette.report.data import ReportFile, load_file
from aquila_cassette.report.page import render_page

__all__ = ["ReportFile", "load_file", "render_page"]
