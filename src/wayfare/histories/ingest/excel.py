def read_excel(con, piece, table, wanted): raise NotImplementedError
