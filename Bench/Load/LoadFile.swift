internal import Bytes

#if canImport(Glibc)
internal import Glibc
#endif

/// Why a load run cannot go on; the text says it to whoever started it.
public struct LoadError: Error, CustomStringConvertible, Sendable {
    /// What is wrong.
    public let description: String

    /// An error.
    public init(_ description: String) { self.description = description }

    static func system(_ what: String) -> LoadError {
        LoadError("\(what): \(unsafe String(cString: strerror(errno)))")
    }
}

/// A file that is written front to back, and gets its name when it is complete.
struct NewFile: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// Begins a file; makes its folder if there is none.
    init(_ path: String) throws(LoadError) {
        self.path = path
        var folder = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false).dropLast() {
            folder += part + "/"
            _ = unsafe mkdir(folder, 0o755)
        }
        descriptor = unsafe open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system(path) }
    }

    deinit { close(descriptor) }

    func write(_ bytes: Region) throws(LoadError) {
        var done = 0
        while done < bytes.byteCount {
            let count = unsafe Glibc.write(descriptor, bytes.base + done, bytes.byteCount - done)
            guard count > 0 || errno == EINTR else { throw .system(path) }
            done += max(0, count)
        }
    }

    consuming func finish() throws(LoadError) {
        guard unsafe rename(path + ".new", path) == 0 else { throw .system(path) }
    }
}

/// Bytes of a file, read from its beginning.
struct OldFile: ~Copyable {
    private let descriptor: Int32
    let byteCount: Int

    /// Opens a file; nil if there is none.
    init?(_ path: String) {
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { return nil }
        descriptor = opened
        byteCount = lseek(opened, 0, SEEK_END)
        _ = lseek(opened, 0, SEEK_SET)
    }

    deinit { close(descriptor) }

    /// Reads into a region; false if the file has fewer bytes.
    func read(into bytes: Region) -> Bool {
        var done = 0
        while done < bytes.byteCount {
            let count = unsafe Glibc.read(descriptor, bytes.base + done, bytes.byteCount - done)
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return false
            }
            done += count
        }
        return true
    }
}
