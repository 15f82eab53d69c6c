internal import Bytes
internal import Trace

/// Why a trace cannot be used: one line that names the file.
public struct TraceFailure: Error, CustomStringConvertible, Sendable {
    /// The line.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A trace while it is read, a block at a time: files of any length, from anybody.
struct TraceStream: ~Copyable {
    let path: String
    /// What the trace says of itself.
    let header: TraceHeader
    private var reader: TraceReader
    private let file: OpenFile
    private let memory = Memory(TraceFormat.blockBytesMax)
    private var chunk = [UInt8](repeating: 0, count: 65_536)

    /// Opens a file and reads its header.
    init(_ path: String) throws(TraceFailure) {
        self.path = path
        do {
            let file = OpenFile(try Files.openFile(path))
            let head = memory.region.slice(0, TraceFormat.headerBytes)
            let count = try TraceStream.read(file, head, path, &chunk)
            reader = try TraceReader(header: head.slice(0, count))
            self.file = file
        } catch {
            throw TraceStream.failure(path, error)
        }
        header = reader.header
    }

    /// The next record, which stays until the one after it; nil after the last one, when the file
    /// was found to be whole.
    mutating func next() throws(TraceFailure) -> TraceRecord? {
        do {
            while true {
                if let record = try reader.next() { return record }
                guard try beginBlock() else { return nil }
            }
        } catch {
            throw TraceStream.failure(path, error)
        }
    }

    /// Opens the next block; false at the end of the file.
    private mutating func beginBlock() throws -> Bool {
        let head = memory.region.slice(0, TraceFormat.blockHeadBytes)
        let count = try TraceStream.read(file, head, path, &chunk)
        if count == 0 {
            try reader.finish()
            return false
        }
        let more = try reader.begin(head: head.slice(0, count))
        let rest = memory.region.slice(head.byteCount, more)
        let found = try TraceStream.read(file, rest, path, &chunk)
        try reader.open(memory.region.slice(0, head.byteCount + found))
        return true
    }

    private static func failure(_ path: String, _ error: any Error) -> TraceFailure {
        if let error = error as? TraceError { return TraceFailure("\(path): \(error)") }
        return TraceFailure("\(error)")
    }

    /// Fills a region, or what the file has left.
    private static func read(
        _ file: OpenFile,
        _ bytes: Region,
        _ path: String,
        _ chunk: inout [UInt8]
    ) throws(SystemError) -> Int {
        var done = 0
        while done < bytes.byteCount {
            let most = bytes.byteCount - done
            let count = try Files.read(file.descriptor, path, into: &chunk, most: most)
            if count == 0 { break }
            bytes.store(bytes: chunk[..<count], done)
            done += count
        }
        return done
    }
}
