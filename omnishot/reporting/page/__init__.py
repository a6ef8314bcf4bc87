"""The page: a section a file. `page.py` puts them in order, `missing.py` says what they lack, `html.py` sets them."""
