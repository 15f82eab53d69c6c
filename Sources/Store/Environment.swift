internal import Bytes
internal import CLMDB
internal import Glibc

/// A named table of an environment.
public struct Table: Sendable, Hashable {
    let handle: UInt32
    /// The table's name, as errors give it.
    public let name: String
}

/// How many records a table has and the sum of their checksums: a record that vanishes is noticed.
struct Tally: Equatable {
    var count: UInt64 = 0
    var digest: UInt64 = 0
}

/// A folder with an LMDB database: transactions, checksums per record, one process at a time.
///
/// A write transaction that has returned is on disk (fsynced). Every record carries a CRC-32C over
/// table, key and value; every table keeps a tally of its records. Both are checked when the folder
/// is opened, so damage is named and never read as an empty store. The map grows by itself.
@safe
public final class Environment: @unchecked Sendable {
    /// Where the data lies.
    public let folder: String
    // The LMDB handle; valid until deinit.
    private let handle: OpaquePointer
    private let lock: FolderLock
    private let mapLock = MapLock()
    private var tables: [String: Table] = [:]
    private(set) var meta: UInt32 = 0
    // Written under LMDB's writer mutex only.
    private var tallies: [UInt32: Tally] = [:]
    private var broken = false
    // Written under `mapLock` alone.
    private var closed = false

    /// Opens or creates the folder.
    ///
    /// - Parameters:
    ///   - kind: what the data is ("node", "ledger"): a folder of another kind is refused.
    ///   - format: the version this build writes; a newer one is refused.
    ///   - mapBytes: first size of the map; it doubles when it is full.
    ///   - freeBytesMin: least free space on the disk, checked before anything is written.
    ///   - checked: the last transaction of somebody who had read every record: if it is still the
    ///     last one, they are not read again.
    public init(
        folder: String,
        kind: String,
        format: UInt32,
        tables names: [String],
        mapBytes: Int = 256 << 20,
        freeBytesMin: UInt64 = 16 << 20,
        checked: UInt64? = nil
    ) throws(StoreError) {
        self.folder = folder
        lock = try FolderLock(folder)
        try Self.checkFreeSpace(folder, freeBytesMin)
        // LMDB hands out its environment through an out parameter.
        var created: OpaquePointer?
        let result = unsafe mdb_env_create(&created)
        guard result == 0, let environment = unsafe created else {
            throw Self.describe(result, "mdb_env_create", folder)
        }
        unsafe handle = environment
        unsafe mdb_env_set_maxdbs(environment, UInt32(names.count + 1))
        try open(mapBytes: mapBytes)
        let isChecked = checked == lastTransaction
        try prepare(kind: kind, format: format, names: names)
        if !isChecked { try verify() }
    }

    deinit { close() }

    /// Gives the data up, for another program to open; nothing can be read or written any more. The
    /// folder stays locked as long as the object lives.
    public func close() {
        mapLock.exclusive {
            if !closed { unsafe mdb_env_close(handle) }
            closed = true
        }
    }

    /// Number of the last transaction that changed anything.
    public var lastTransaction: UInt64 {
        mapLock.shared { closed ? 0 : UInt64(unsafe info.me_last_txnid) }
    }

    private var info: MDB_envinfo {
        var info = unsafe MDB_envinfo()
        unsafe mdb_env_info(handle, &info)
        return unsafe info
    }

    /// The table of that name; it must have been named at open.
    public func table(_ name: String) -> Table {
        guard let table = tables[name] else { preconditionFailure("no table \(name)") }
        return table
    }

    /// Runs a read-only transaction over one consistent state.
    public func read<R>(
        _ body: (borrowing Transaction) throws(StoreError) -> R
    ) throws(StoreError) -> R {
        try mapLock.shared { () throws(StoreError) -> R in
            guard !closed else { throw .stopped(folder: folder) }
            var begun: OpaquePointer?
            let result = unsafe mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &begun)
            guard result == 0, let raw = unsafe begun else { throw error(result, "read") }
            defer { unsafe mdb_txn_abort(raw) }
            return try body(unsafe Transaction(raw: raw, folder: folder, tallies: [:]))
        }
    }

    /// Runs a write transaction; when it returns, the changes are on disk.
    ///
    /// `body` runs again from the start when the map had to grow. If it throws, nothing changes. If
    /// the disk fails, the environment refuses everything after: what counts is what a restart
    /// finds.
    public func write<R>(
        _ body: (borrowing Transaction) throws(StoreError) -> R
    ) throws(StoreError) -> R {
        while true {
            let outcome = try mapLock.shared { () throws(StoreError) -> R? in
                guard !closed else { throw .stopped(folder: folder) }
                return try attempt(body)
            }
            if let outcome { return outcome }
            try grow()
        }
    }

    /// One try; nil if the map is full.
    private func attempt<R>(
        _ body: (borrowing Transaction) throws(StoreError) -> R
    ) throws(StoreError) -> R? {
        var begun: OpaquePointer?
        let begin = unsafe mdb_txn_begin(handle, nil, 0, &begun)
        guard begin == 0, let raw = unsafe begun else { throw error(begin, "write") }
        guard !broken else {
            unsafe mdb_txn_abort(raw)
            throw .stopped(folder: folder)
        }
        let transaction = unsafe Transaction(raw: raw, folder: folder, tallies: tallies)
        let outcome: R
        do throws(StoreError) {
            outcome = try body(transaction)
            try transaction.storeTallies(meta: meta)
        } catch {
            unsafe mdb_txn_abort(raw)
            guard error == Transaction.mapFull else { throw error }
            return nil
        }
        let commit = unsafe mdb_txn_commit(raw)
        if commit == MDB_MAP_FULL { return nil }
        guard commit == 0 else {
            broken = true
            throw error(commit, "commit")
        }
        tallies = transaction.tallies
        return outcome
    }

    private func grow() throws(StoreError) {
        try mapLock.exclusive { () throws(StoreError) in
            let result = unsafe mdb_env_set_mapsize(handle, info.me_mapsize * 2)
            guard result == 0 else { throw error(result, "growing the map") }
        }
    }

    // MARK: Opening

    private func open(mapBytes: Int) throws(StoreError) {
        let existing = Self.fileBytes(folder + "/data.mdb")
        let size = max(mapBytes, existing * 2)
        unsafe mdb_env_set_mapsize(handle, size)
        let result = unsafe mdb_env_open(handle, folder, UInt32(MDB_NOTLS), 0o600)
        switch result {
        case 0: break
        case MDB_INVALID, MDB_CORRUPTED, MDB_VERSION_MISMATCH, MDB_PAGE_NOTFOUND:
            throw .corrupt(table: "(file)", key: folder + "/data.mdb")
        default: throw error(result, "opening")
        }
        var dead: Int32 = 0
        unsafe mdb_reader_check(handle, &dead)
        var stat = MDB_stat()
        unsafe mdb_env_stat(handle, &stat)
        let needed = unsafe (info.me_last_pgno + 1) * Int(stat.ms_psize)
        guard existing == 0 || existing >= needed else {
            throw .corrupt(table: "(file)", key: "\(folder)/data.mdb is cut short")
        }
    }

    private func prepare(kind: String, format: UInt32, names: [String]) throws(StoreError) {
        var begun: OpaquePointer?
        let begin = unsafe mdb_txn_begin(handle, nil, 0, &begun)
        guard begin == 0, let raw = unsafe begun else { throw error(begin, "opening") }
        do throws(StoreError) {
            meta = try unsafe openTable(raw, "meta")
            for name in names {
                let table = try unsafe Table(handle: openTable(raw, name), name: name)
                tables[name] = table
            }
            let transaction = unsafe Transaction(raw: raw, folder: folder, tallies: [:])
            let metaTable = Table(handle: meta, name: "meta")
            try checkHeader(transaction, metaTable, kind: kind, format: format)
            for table in tables.values {
                tallies[table.handle] = try transaction.loadTally(meta: meta, table: table)
            }
        } catch {
            unsafe mdb_txn_abort(raw)
            throw error
        }
        let commit = unsafe mdb_txn_commit(raw)
        guard commit == 0 else { throw error(commit, "opening") }
    }

    private func checkHeader(
        _ transaction: borrowing Transaction,
        _ meta: Table,
        kind: String,
        format: UInt32
    ) throws(StoreError) {
        let key = Array("header".utf8)
        if let header = try transaction.get(meta, key) {
            var reader = RecordReader(header)
            guard let found: UInt32 = reader.integer(), let name = reader.counted() else {
                throw .corrupt(table: "meta", key: "header")
            }
            let foundKind = String(decoding: name, as: UTF8.self)
            guard foundKind == kind else {
                throw .wrongKind(folder: folder, found: foundKind, expected: kind)
            }
            guard found <= format else {
                throw .newerFormat(folder: folder, found: found, supported: format)
            }
        } else if !tables.values.allSatisfy({ isEmpty(transaction, $0) }) {
            throw .corrupt(table: "meta", key: "header")
        }
        var writer = RecordWriter()
        writer.integer(format)
        writer.counted(Array(kind.utf8))
        try transaction.put(meta, key, writer.bytes)
    }

    private func isEmpty(_ transaction: borrowing Transaction, _ table: Table) -> Bool {
        transaction.entryCount(table) == 0
    }

    private func openTable(_ raw: OpaquePointer, _ name: String) throws(StoreError) -> MDB_dbi {
        var table: MDB_dbi = 0
        let result = unsafe mdb_dbi_open(raw, name, UInt32(MDB_CREATE), &table)
        guard result == 0 else { throw error(result, "opening table \(name)") }
        return table
    }

    /// Reads every record once: each checksum, and each table against its tally.
    private func verify() throws(StoreError) {
        for table in tables.values.sorted(by: { $0.name < $1.name }) {
            let found = try read { (transaction) throws(StoreError) in
                try transaction.tally(table)
            }
            guard found == tallies[table.handle] ?? Tally() else {
                throw .corrupt(table: table.name, key: "(records are missing)")
            }
        }
    }

    // MARK: Errors and the file system

    private func error(_ code: Int32, _ operation: String) -> StoreError {
        Self.describe(code, operation, folder)
    }

    static func describe(_ code: Int32, _ operation: String, _ folder: String) -> StoreError {
        switch code {
        case ENOSPC, EDQUOT: return .diskFull(folder: folder)
        case MDB_MAP_FULL: return Transaction.mapFull
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_PANIC, MDB_BAD_TXN:
            return .corrupt(table: "(file)", key: folder + "/data.mdb")
        default:
            // mdb_strerror answers a static string.
            let message = unsafe String(cString: mdb_strerror(code))
            return .failed(operation: operation, reason: message)
        }
    }

    private static func fileBytes(_ path: String) -> Int {
        var info = stat()
        return unsafe stat(path, &info) == 0 ? Int(info.st_size) : 0
    }

    private static func checkFreeSpace(_ folder: String, _ least: UInt64) throws(StoreError) {
        var info = statvfs()
        guard unsafe statvfs(folder, &info) == 0 else { return }
        let free = UInt64(info.f_bavail) * UInt64(info.f_frsize)
        guard free >= least else { throw .diskFull(folder: folder) }
    }
}
