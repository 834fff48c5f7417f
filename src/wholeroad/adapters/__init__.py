"""The outside: clocks, ledgers, tables, blobs, files and learners, on disk and in memory."""
