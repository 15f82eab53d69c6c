internal import Bytes
internal import Glibc
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
    private let descriptor: Int32
    private let memory = Memory(TraceFormat.blockBytesMax)

    /// Opens a file and reads its header.
    init(_ path: String) throws(TraceFailure) {
        self.path = path
        // The path lives for the time of the call.
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        do {
            guard descriptor >= 0 else { throw SystemError.last("read", path) }
            let head = memory.region.slice(0, TraceFormat.headerBytes)
            let count = try TraceStream.read(descriptor, head, path)
            reader = try TraceReader(header: head.slice(0, count))
        } catch {
            if descriptor >= 0 { close(descriptor) }
            throw TraceStream.failure(path, error)
        }
        header = reader.header
    }

    deinit { close(descriptor) }

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
        let count = try TraceStream.read(descriptor, head, path)
        if count == 0 {
            try reader.finish()
            return false
        }
        let more = try reader.begin(head: head.slice(0, count))
        let rest = memory.region.slice(head.byteCount, more)
        let found = try TraceStream.read(descriptor, rest, path)
        try reader.open(memory.region.slice(0, head.byteCount + found))
        return true
    }

    private static func failure(_ path: String, _ error: any Error) -> TraceFailure {
        if let error = error as? TraceError { return TraceFailure("\(path): \(error)") }
        return TraceFailure("\(error)")
    }

    /// Fills a region, or what the file has left.
    private static func read(
        _ descriptor: Int32,
        _ bytes: Region,
        _ path: String
    ) throws(SystemError) -> Int {
        var done = 0
        while done < bytes.byteCount {
            let left = bytes.slice(done, bytes.byteCount - done)
            // The region's bytes stay for the time of the call.
            let count = unsafe Glibc.read(descriptor, left.base, left.byteCount)
            if count == 0 { break }
            guard count > 0 || errno == EINTR else { throw .last("read", path) }
            done += max(0, count)
        }
        return done
    }
}
