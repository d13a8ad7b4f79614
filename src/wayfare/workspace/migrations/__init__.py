"""The steps by which a database gets the present tables; `wayfare.workspace.database` takes them when it opens one."""
