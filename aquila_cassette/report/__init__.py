"""The HTML report: one page to look through cassettes, which needs nothing else and fetches nothing."""

from aquila_cassette.report.data import ReportFile, load_file
from aquila_cassette.report.page import render_page

__all__ = ["ReportFile", "load_file", "render_page"]
