"""What a message makes of its recipients, by columns: variant, values, text length, SMS segments, what is wrong, ids, hashes.

Plan and lint look at recipients through this package, so each rule about them stands here once. Nothing here opens a file.
"""
