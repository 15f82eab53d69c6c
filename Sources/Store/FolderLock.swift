internal import Glibc

/// Exclusive use of a data folder by one process, for as long as the object lives.
///
/// The kernel gives the lock back when the process ends in whatever way.
public final class FolderLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock; the folder is made (0700) if it does not exist.
    public init(_ folder: String) throws(StoreError) {
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw Self.classify(folder)
        }
        let path = folder + "/lock"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.classify(path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw .folderInUse(folder: folder, holder: holder)
        }
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        // The descriptor is ours and the buffer outlives the call.
        let written = unsafe text.withUnsafeBytes {
            unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0)
        }
        guard written == text.count else {
            let error = Self.classify(folder)
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private static func classify(_ path: String) -> StoreError {
        errno == ENOSPC || errno == EDQUOT
            ? .diskFull(folder: path) : .cannotOpen(path: path, reason: systemMessage(errno))
    }

    private static func holder(_ descriptor: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 16)
        // The buffer is ours.
        let count = unsafe text.withUnsafeMutableBytes {
            unsafe pread(descriptor, $0.baseAddress, $0.count, 0)
        }
        guard count > 0 else { return "" }
        let digits = text.prefix(count).prefix { $0 >= 48 && $0 <= 57 }
        return digits.isEmpty ? "" : " (pid \(String(decoding: digits, as: UTF8.self)))"
    }
}

/// The system's words for an error number.
func systemMessage(_ code: Int32) -> String {
    // strerror answers a NUL-terminated string of the library.
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}

/// Many transactions, or one change of the map's size.
@safe
final class MapLock: @unchecked Sendable {
    // One heap cell for the lock, freed with the object.
    private let cell: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        unsafe cell = .allocate(capacity: 1)
        unsafe pthread_rwlock_init(cell, nil)
    }

    deinit {
        unsafe pthread_rwlock_destroy(cell)
        unsafe cell.deallocate()
    }

    func shared<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        unsafe pthread_rwlock_rdlock(cell)
        defer { unsafe pthread_rwlock_unlock(cell) }
        return try body()
    }

    func exclusive<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        unsafe pthread_rwlock_wrlock(cell)
        defer { unsafe pthread_rwlock_unlock(cell) }
        return try body()
    }
}
