"""Discord: gateway events in, one function of `bot` called, its sentence out. The only room that imports discord."""
