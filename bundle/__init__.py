"""The contract between training and serving: manifest, store and noise. numpy and pydantic only."""
