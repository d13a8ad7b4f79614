def read_json(con, piece, table, wanted): raise NotImplementedError
