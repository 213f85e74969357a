"""The demo region: a fictional region in Siberia, written as registry files and loaded through the pipeline."""
