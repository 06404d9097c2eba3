"""Our fork of the Oscar app of this name: behaviour only, no data of its own."""
