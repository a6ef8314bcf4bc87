"""The networks: twins that turn an image into a vector, and the Siamese network over them."""
