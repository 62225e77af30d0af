"""[pure] A layer plan as one self-contained HTML page, in which one looks, and tries what another split would cost."""

from optimizer.report.page.document import page_document
from optimizer.report.page.render import check_page, page

__all__ = ["check_page", "page", "page_document"]
