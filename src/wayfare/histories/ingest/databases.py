def read_sqlite(con, piece, table, wanted): raise NotImplementedError
read_postgres = read_duckdb = read_sqlite
