"""Pictures of what a network does: values in, `Picture` out."""
