# SPDX-License-Identifier: Apache-2.0
"""A reader of Firn's files, written from FORMAT.md alone. A module a chapter, in the order in which to read them:

cursor      conventions: fixed integers, varints, texts, checksums, the file header
values      types, single values, chunks, schemas, catalog changes
integers    bitmaps, packed blocks, integer vectors
doubles     double vectors
cold        whole pages: aligned and binned integers, and what they mean
pages       pages
segment     segment files
manifest    CURRENT and manifests
log         the write-ahead log
database    a folder of all of these: its tables and their rows
text        values as PostgreSQL prints them
dump        a file as an annotated hex dump
coverage    which of the numbers that FORMAT.md defines were met on the way
"""
