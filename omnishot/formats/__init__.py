"""What the files of an artifact hold; FORMATS.md beside this file is the written contract."""
