"""Results as tables people read, beside what others have published."""
