"""The ground floor: settings, database, coordinates, geometry, layers, history, access, spatial questions."""
