"""One air shower, particle by particle: flight, energy loss, interaction, decay."""
