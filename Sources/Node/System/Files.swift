internal import Glibc

// Paths go to C as strings that live for the time of the call: the only unsafe thing below.

/// Files of the control plane: small, read whole, written so that a crash leaves old or new.
public enum Files {
    /// Reads a file of at most `limit` bytes.
    public static func read(_ path: String, limit: Int = 1 << 20) throws(SystemError) -> [UInt8] {
        let file = try openFile(path)
        defer { close(file) }
        return try readAll(file, path, limit: limit)
    }

    /// A descriptor of a file, to read from.
    static func openFile(_ path: String) throws(SystemError) -> Int32 {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .last("read", path) }
        return file
    }

    /// A descriptor of a file that did not exist yet, to write to.
    static func makeFile(_ path: String, mode: UInt32) throws(SystemError) -> Int32 {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw .last("create", path) }
        return file
    }

    /// Reads text; bytes that are no UTF-8 are replaced.
    public static func text(_ path: String, limit: Int = 1 << 20) throws(SystemError) -> String {
        String(decoding: try read(path, limit: limit), as: UTF8.self)
    }

    /// Writes a file that must not exist yet, and makes it durable.
    public static func create(
        _ path: String,
        _ bytes: [UInt8],
        mode: UInt32 = 0o600
    ) throws(SystemError) {
        let file = try makeFile(path, mode: mode)
        defer { close(file) }
        do throws(SystemError) {
            try write(file, path, bytes)
            guard fsync(file) == 0 else { throw .last("write", path) }
        } catch {
            unsafe unlink(path)
            throw error
        }
        try syncFolder(of: path)
    }

    /// Makes a folder; one that exists already is fine.
    public static func makeFolder(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        if unsafe mkdir(path, mode) != 0 && errno != EEXIST { throw .last("create folder", path) }
        guard isFolder(path) else {
            throw SystemError("create folder", path, number: ENOTDIR)
        }
    }

    /// True if the path names a folder.
    public static func isFolder(_ path: String) -> Bool {
        status(path).map { $0.mode & S_IFMT == S_IFDIR } ?? false
    }

    /// True if the path names anything.
    public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Permission bits of a file; nil if there is none.
    public static func permissions(_ path: String) -> UInt32? {
        status(path).map { $0.mode & 0o7777 }
    }

    /// Names in a folder, sorted, without `.` and `..`.
    public static func list(_ path: String) throws(SystemError) -> [String] {
        // The directory stream is C's; it does not leave this function.
        guard let folder = unsafe opendir(path) else { throw .last("list", path) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { raw in
                unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file; one that does not exist is fine.
    public static func remove(_ path: String) { unsafe unlink(path) }

    /// Removes a folder with everything in it. Follows no link.
    public static func removeTree(_ path: String) {
        if let info = status(path), info.mode & S_IFMT == S_IFDIR {
            for name in (try? list(path)) ?? [] { removeTree("\(path)/\(name)") }
            unsafe rmdir(path)
        } else {
            unsafe unlink(path)
        }
    }

    /// Makes a new folder with a name nobody uses, readable by the owner only.
    public static func makeTemporaryFolder(_ prefix: String) throws(SystemError) -> String {
        let parent = environment("TMPDIR") ?? "/tmp"
        let attempts = 100
        for _ in 0..<attempts {
            let path = "\(parent)/\(prefix)-\(String(UInt64.random(in: .min ... .max), radix: 36))"
            if unsafe mkdir(path, 0o700) == 0 { return path }
            guard errno == EEXIST else { throw .last("create folder", path) }
        }
        throw SystemError("create folder", "\(parent)/\(prefix)", number: EEXIST)
    }

    private static func status(_ path: String) -> (mode: UInt32, size: Int)? {
        var info = stat()
        // lstat fills the structure given.
        guard unsafe lstat(path, &info) == 0 else { return nil }
        return (info.st_mode, Int(info.st_size))
    }

    private static func readAll(
        _ file: Int32,
        _ path: String,
        limit: Int
    ) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = try read(file, path, into: &chunk, most: chunk.count)
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > limit { throw SystemError("read", path, number: EFBIG) }
        }
    }

    /// Reads some bytes from a descriptor; 0 at the end of the file.
    static func read(
        _ file: Int32,
        _ path: String,
        into chunk: inout [UInt8],
        most: Int
    ) throws(SystemError) -> Int {
        while true {
            // The array lends its memory for the time of the call.
            let count = unsafe Glibc.read(file, &chunk, min(most, chunk.count))
            if count >= 0 { return count }
            guard errno == EINTR else { throw .last("read", path) }
        }
    }

    /// Writes all bytes to a descriptor; `path` is for messages.
    public static func write(_ file: Int32, _ path: String, _ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // The slice lends its memory for the time of the call.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .last("write", path)
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func syncFolder(of path: String) throws(SystemError) {
        let folder = Paths.parent(path)
        let file = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw .last("open", folder) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw .last("write", folder) }
    }
}

/// A descriptor that is closed with the object.
final class OpenFile: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}

/// Path arithmetic.
public enum Paths {
    /// The folder a path lies in.
    public static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// `path` as seen from `folder`, unless it is absolute already.
    public static func resolve(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }
}

/// A variable of the environment; nil if unset or empty.
public func environment(_ name: String) -> String? {
    // getenv's string is copied at once; nothing here changes the environment.
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}
