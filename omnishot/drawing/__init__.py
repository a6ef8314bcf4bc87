"""Values in, `Picture` out; knows no store."""
