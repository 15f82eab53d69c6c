internal import Glibc

// The calls that Swift cannot make without pointers: each lends memory to C for the time of the
// call.

/// A descriptor, closed with the value.
struct Socket: ~Copyable {
    let file: Int32

    init(file: Int32) { self.file = file }

    deinit { close(file) }

    /// A new stream socket, non-blocking if asked.
    static func make(_ path: String, blocking: Bool) throws(LocalSocketError) -> Socket {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let file = socket(AF_UNIX, blocking ? kind : kind | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { throw .last("open a socket for", path) }
        return Socket(file: file)
    }

    /// bind(2) or connect(2) with the path; 0 or an error number.
    func name(
        _ path: String,
        _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(LocalSocketError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .pathTooLong(path)
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let result = unsafe withUnsafePointer(to: address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe call(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 ? 0 : errno
    }

    func bind(_ path: String) throws(LocalSocketError) -> Int32 {
        try unsafe name(path) { unsafe Glibc.bind($0, $1, $2) }
    }

    func connect(_ path: String) throws(LocalSocketError) -> Int32 {
        try unsafe name(path) { unsafe Glibc.connect($0, $1, $2) }
    }

    /// Reads what is there: nil after the end or an error, empty if nothing is there yet.
    static func read(_ file: Int32, _ chunk: inout [UInt8]) -> ArraySlice<UInt8>? {
        let count = unsafe recv(file, &chunk, chunk.count, 0)
        if count > 0 { return chunk[..<count] }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? [] : nil
    }

    /// Writes what fits: the number of bytes, nil after an error.
    static func write(_ file: Int32, _ bytes: ArraySlice<UInt8>) -> Int? {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    /// Waits for events on some descriptors; nil if the wait was interrupted.
    static func wait(_ files: inout [pollfd], millis: Int) -> Bool {
        unsafe poll(&files, nfds_t(files.count), Int32(clamping: millis)) >= 0
    }

    /// Not inherited by programs we start, never blocks.
    static func prepare(_ file: Int32) {
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        _ = fcntl(file, F_SETFL, O_NONBLOCK)
    }

    static func remove(_ path: String) { unsafe unlink(path) }
}
