# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, The folder: from CURRENT to the manifest, from there to segments and to the log; in the end, rows."""

import pathlib

from . import manifest as manifests
from . import values
from .cursor import Cursor, FormatError, UnknownVersion, require
from .log import LogFile
from .segment import SegmentFile


class Database:
    """`tables` are schemas by name; `rows(name)` gives a table's rows, each a list in the order of its columns."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.lock = self.folder / "LOCK"
        if self.lock.exists():
            manifests.process_of_lock(self.lock.read_bytes())
        self.current = manifests.Current(self.open("CURRENT"))
        self.manifest = manifests.Manifest(self.open(f"manifest-{self.current.proof.manifest}"))
        require(
            self.manifest.header.file_id == self.current.proof.manifest, "the manifest has another number than its name"
        )
        self.own(self.manifest.header)
        self.manifest.prove(self.current.proof)
        self.state = manifests.State(self.manifest)
        self.logged = {}  # table id: rows that only the log has, each {column id: value}
        self.schemas = dict(self.state.tables)
        self.segments = dict(self.state.segments)
        self.replay()
        self.files = {}
        self.tables = {schema.name: schema for schema in self.schemas.values()}

    def open(self, name):
        return Cursor((self.folder / name).read_bytes(), name=name)

    def own(self, header):
        require(header.database_id == self.current.database_id, "a file of another database")

    # The log.

    def log_files(self):
        """The log files of this database, in order. One whose header is not its own waits to be used again, or was never
        written: it is passed over."""
        found = []
        for number in sorted(int(path.stem) for path in (self.folder / "wal").glob("*.wal")):
            try:
                log = LogFile(self.open(f"wal/{number}.wal"))
                self.own(log.header)
                require(log.header.file_id == number, "a file that waits to be used again")
                found.append(log)
            except UnknownVersion:
                raise
            except FormatError:
                pass
        return found

    def replay(self):
        """Applies the commits that the manifest does not hold, and tells a torn tail from damage."""
        state, logs = self.state, self.log_files()
        for log in logs:
            self.manifest.prove(log.proof)
            require(
                log.epoch <= state.epoch or next(log.frames(), None) is None,
                f"{log.cursor.name} is of a later epoch: CURRENT or the manifest is an old one",
            )
        next_lsn, durable = state.first_lsn, max(state.flushed, state.closed or 0)
        begun, behind = False, []  # behind: (log, offset) from which on frames lie behind the end
        successor = None if state.closed is not None else state.first_log_file
        for log in [log for log in logs if log.epoch == state.epoch and log.header.file_id >= state.first_log_file]:
            if begun:
                continues = log.first_lsn == next_lsn
            else:
                continues = log.header.file_id == state.first_log_file and log.first_lsn <= max(
                    durable + 1, state.first_lsn
                )
            if not continues:
                behind.append((log, log.start))
                continue
            require(successor in (None, log.header.file_id), f"wal/{successor}.wal is missing or damaged")
            begun, next_lsn, durable = True, log.first_lsn, max(durable, log.durable)
            for frame in log.frames():
                next_lsn, durable = frame.lsn + 1, max(durable, frame.durable)
                self.apply(frame)
            behind.append((log, log.end))
            successor = log.successor
        # Format version 1 did not promise the header of a later file of an epoch.
        is_promised = begun or state.first_log_file == state.epoch_log_file or self.manifest.header.version > 1
        require(successor is None or not is_promised, f"wal/{successor}.wal is missing or damaged")
        for log, start in behind:
            witnesses = [witness for _, witness in log.witnesses(state.epoch, next_lsn, start)]
            durable = max([durable, log.durable if log.first_lsn >= next_lsn else 0, *witnesses])
        require(
            next_lsn > durable or state.closed is not None,
            f"the log ends before LSN {next_lsn}, but {durable} was durable",
        )

    def apply(self, frame):
        state, lsn = self.state, frame.lsn
        if frame.kind == 2:
            if lsn <= state.flushed:
                return
            for change in frame.payload:
                if isinstance(change, values.Schema):
                    values.put_table(self.schemas, change)
                else:
                    self.schemas.pop(change, None)
                    self.logged.pop(change, None)
                    self.segments = {key: one for key, one in self.segments.items() if one.table_id != change}
        elif not state.holds(frame.payload.table_id, lsn):
            if frame.kind == 1:
                ids = [column_id for column_id, _ in frame.payload.columns]
                self.logged.setdefault(frame.payload.table_id, []).extend(
                    dict(zip(ids, row)) for row in frame.payload.rows
                )
            else:
                for descriptor in frame.payload.segments:
                    descriptor = descriptor._replace(first_lsn=lsn, last_lsn=lsn)
                    self.segments[descriptor.file_id, descriptor.offset] = descriptor

    # The rows.

    def file(self, file_id):
        if file_id not in self.files:
            name = f"data/{file_id}.seg"
            file = SegmentFile((self.folder / name).read_bytes(), name)
            require(file.header.file_id == file_id, f"{name} is file {file.header.file_id}")
            self.own(file.header)
            self.files[file_id] = file
        return self.files[file_id]

    def rows(self, table):
        schema = self.tables[table]
        found = []
        for descriptor in self.segments.values():
            if descriptor.table_id == schema.table_id:
                segment = self.file(descriptor.file_id).segment(descriptor)
                self.check_times(descriptor)
                ids = [column.id for column in segment.columns]
                found += [dict(zip(ids, row)) for row in segment.rows()]
        found += self.logged.get(schema.table_id, [])
        return [[row.get(column.id) for column in schema.columns] for row in found]

    def check_times(self, descriptor):
        """A segment's times lie in its chunk."""
        chunk = self.state.chunks.get((descriptor.table_id, descriptor.chunk_id))
        if chunk is not None and descriptor.times is not None:
            smallest, largest = descriptor.times
            includes_end = chunk.end == (1 << 63) - 1
            require(
                chunk.start <= smallest and (largest < chunk.end or includes_end),
                f"segment outside of chunk {chunk.id}",
            )
