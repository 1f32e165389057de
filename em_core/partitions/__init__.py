"""Tables in pieces, wherever they live: passes over them that give the same bits everywhere."""
