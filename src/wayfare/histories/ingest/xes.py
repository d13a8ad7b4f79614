def read_xes(con, piece, table, wanted): raise NotImplementedError
