"""What enhancers cost on this machine: `pipeline bench`."""
