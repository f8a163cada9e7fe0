"""SQL servers and their clients: what tutorials ask of PostgreSQL, MySQL and MariaDB, answered from files on a volume.

`engine.py` keeps and asks tables, `postgres.py` and `mysql.py` say how each of them speaks, `server.py` is the server's
side of a connection, `psql.py` and `mysql_client.py` are the programs that people type at.
"""
