"""The flow family: fields that are followed from noise to pictures, taught by lines between the two."""
