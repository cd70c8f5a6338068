"""The operators' page: accounts and sessions, what it may ask, and the files of the page itself."""
