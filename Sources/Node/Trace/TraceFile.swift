internal import Bytes
internal import Glibc
internal import Trace

/// A trace while it is written: for its owner alone, never longer than it may be, and whatever
/// happens to the disk, with an end.
final class TraceFile {
    /// How far the file is good: bytes of whole blocks, their records, notes among them, and what
    /// the notes say.
    private struct Mark {
        var bytes = TraceFormat.headerBytes
        var records: UInt64 = 0
        var notes: UInt64 = 0
        var dropped: UInt64 = 0
    }

    /// Bytes of a block with one note, and of the end.
    private static let lastBytes =
        TraceWriter.leastBytes(keeping: TraceNote.byteCount) + TraceFormat.endBytes

    private let file: OpenFile
    private let path: String
    private let limit: Int
    /// What the disk takes; for tests.
    private let room: Int
    private let memory = Memory(TraceFormat.blockBytesMax)
    private let noteMemory = Memory(TraceNote.byteCount)
    private var writer: TraceWriter
    private var notes: UInt64 = 0
    /// Records that found no room, as noted so far.
    private(set) var dropped: UInt64 = 0
    private var mark = Mark()
    private var markBefore = Mark()

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - replaces: takes the place of a file that is there.
    ///   - limit: most bytes.
    init(
        _ path: String,
        _ header: TraceHeader,
        replaces: Bool = false,
        limit: Int = .max,
        room: Int = .max
    ) throws(SystemError) {
        if replaces { Files.remove(path) }
        file = OpenFile(try Files.makeFile(path, mode: 0o600))
        self.path = path
        self.limit = limit
        self.room = room
        writer = TraceWriter(header, memory: memory.region)
        let head = Memory(TraceFormat.headerBytes)
        writer.begin(into: head.region)
        do throws(SystemError) {
            try write(head.region, at: 0)
        } catch {
            Files.remove(path)
            throw error
        }
    }

    /// Records so far, notes apart.
    var count: UInt64 { writer.count - notes }
    /// Bytes that the file will have if it ends now.
    var byteCount: Int { mark.bytes + writer.blockBytes + TraceFormat.endBytes }

    /// Adds a record; false if the file may not become so long.
    func add(_ record: TraceRecord) throws(SystemError) -> Bool {
        let head = writer.blockBytes == 0 ? TraceWriter.leastBytes(keeping: 0) : 0
        let more = head + 2 * TraceFormat.recordHeadBytes + record.kept.byteCount
        guard mark.bytes + writer.blockBytes + more <= limit - TraceFile.lastBytes else {
            return false
        }
        if writer.append(record) { return true }
        try flush()
        let fits = writer.append(record)
        precondition(fits, "a block takes a record")
        return true
    }

    /// Notes how many records found no room in all; if the file may become so long.
    func note(dropped: UInt64, nanos: UInt64) throws(SystemError) {
        guard dropped > self.dropped else { return }
        let isTaken = try add(record(TraceNote(dropped: dropped - self.dropped, end: nil), nanos))
        guard isTaken else { return }
        self.dropped = dropped
        notes += 1
    }

    /// Writes what is complete to the disk; what the disk does not take is forgotten.
    func flush() throws(SystemError) {
        guard let block = writer.block() else { return }
        do throws(SystemError) {
            try write(block, at: mark.bytes)
        } catch {
            try retract(to: mark)
            throw error
        }
        markBefore = mark
        mark = Mark(
            bytes: mark.bytes + block.byteCount,
            records: writer.count,
            notes: notes,
            dropped: dropped
        )
    }

    /// Ends the file with a note. If the disk does not take the rest, it ends after what was
    /// written before, or one block earlier, and the note says so.
    ///
    /// - Returns: why it ended.
    func finish(
        _ why: TraceEnd,
        dropped: UInt64,
        nanos: UInt64
    ) throws(SystemError) -> TraceEnd {
        do throws(SystemError) {
            try flush()
            try end(why, dropped, nanos)
            return why
        } catch {}
        do throws(SystemError) {
            try retract(to: mark)
            try end(.disk, dropped, nanos)
            return .disk
        } catch {}
        try retract(to: markBefore)
        try end(.disk, dropped, nanos)
        return .disk
    }

    private func end(
        _ why: TraceEnd,
        _ dropped: UInt64,
        _ nanos: UInt64
    ) throws(SystemError) {
        let isTaken = writer.append(
            record(TraceNote(dropped: dropped - self.dropped, end: why), nanos)
        )
        precondition(isTaken, "an empty block takes a note")
        guard let block = writer.block() else { return }
        try write(block, at: mark.bytes)
        let bytes = block.byteCount
        try write(writer.end(), at: mark.bytes + bytes)
        mark.bytes += bytes
        notes += 1
    }

    private func record(_ note: TraceNote, _ nanos: UInt64) -> TraceRecord {
        note.write(to: noteMemory.region)
        return TraceRecord(
            nanos: nanos,
            link: 0,
            direction: .incoming,
            kind: TraceRecord.note,
            size: TraceNote.byteCount,
            kept: noteMemory.region
        )
    }

    /// Forgets what was written after a mark.
    private func retract(to mark: Mark) throws(SystemError) {
        guard ftruncate(file.descriptor, mark.bytes) == 0 else { throw .last("write", path) }
        writer.retract(to: mark.records)
        self.mark = mark
        notes = mark.notes
        dropped = mark.dropped
    }

    private func write(_ bytes: Region, at offset: Int) throws(SystemError) {
        guard bytes.byteCount <= room - offset else {
            throw SystemError("write", path, number: ENOSPC)
        }
        guard lseek(file.descriptor, offset, SEEK_SET) == offset else { throw .last("write", path) }
        try Files.write(file.descriptor, path, bytes.array)
    }
}
