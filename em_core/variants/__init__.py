"""EM and its relatives, one file each; `table` lists them."""
