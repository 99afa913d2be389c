"""Azure: Event Grid in, Azure Machine Learning out."""
