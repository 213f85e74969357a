"""Documents of cases: kept under the hash of their bytes, known by their content, looked at before they are kept."""
