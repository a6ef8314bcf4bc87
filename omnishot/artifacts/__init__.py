"""What lies on disk between the stages; FORMATS.md beside this file is the written contract."""
