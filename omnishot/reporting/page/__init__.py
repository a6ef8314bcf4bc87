"""The page: one file a section; `page.py` puts them in order, `html.py` sets them."""
