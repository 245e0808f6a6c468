"""Raw input for the pipeline: a generated travel history, and the public Complete Journey data."""
