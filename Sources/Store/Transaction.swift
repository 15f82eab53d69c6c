internal import Bytes
internal import CLMDB
internal import Glibc

/// Reads and writes of one transaction; valid inside the closure that received it.
@safe
public struct Transaction: ~Copyable {
    // LMDB's transaction, ended by the environment.
    private let raw: OpaquePointer
    private let folder: String
    private let changes: TallyChanges

    /// Never leaves the module: the environment grows the map and tries again.
    static let mapFull = StoreError.failed(operation: "(map)", reason: "full")

    init(raw: OpaquePointer, folder: String, tallies: [UInt32: Tally]) {
        unsafe self.raw = raw
        self.folder = folder
        changes = TallyChanges(tallies)
    }

    var tallies: [UInt32: Tally] { changes.tallies }

    /// The value under a key, checked; nil if there is none.
    public func get(_ table: Table, _ key: [UInt8]) throws(StoreError) -> [UInt8]? {
        try raw(table, key).map { $0.value }
    }

    /// Writes a record.
    public func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) throws(StoreError) {
        let old = try raw(table, key)
        let checksum = Self.checksum(table.name, key, value)
        var room: UnsafeMutableRawPointer?
        let result = unsafe key.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return EINVAL }
            return unsafe lmdb_reserve(
                raw,
                table.handle,
                base,
                key.count,
                value.count + 4,
                &room
            )
        }
        guard result == 0, let room = unsafe room else {
            throw Environment.describe(result, "put", folder)
        }
        // `room` holds value.count + 4 bytes until the next write.
        unsafe value.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { unsafe memcpy(room, base, bytes.count) }
        }
        unsafe room.storeBytes(
            of: checksum.bigEndian,
            toByteOffset: value.count,
            as: UInt32.self
        )
        changes.add(table, checksum)
        if let old { changes.remove(table, old.checksum) }
    }

    /// Removes a record, if there is one.
    public func delete(_ table: Table, _ key: [UInt8]) throws(StoreError) {
        guard let old = try raw(table, key) else { return }
        let result = unsafe key.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return EINVAL }
            return unsafe lmdb_delete(raw, table.handle, base, key.count)
        }
        guard result == 0 else { throw Environment.describe(result, "delete", folder) }
        changes.remove(table, old.checksum)
    }

    /// Visits the records from `start` on in key order until `body` answers false.
    public func scan(
        _ table: Table,
        from start: [UInt8] = [],
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try walk(table, from: start) { (key, value, _) throws(StoreError) in
            try body(key, value)
        }
    }

    // MARK: Below the records

    /// Number of records as LMDB counts them.
    func entryCount(_ table: Table) -> Int {
        var info = MDB_stat()
        guard unsafe mdb_stat(raw, table.handle, &info) == 0 else { return 0 }
        return Int(info.ms_entries)
    }

    func tally(_ table: Table) throws(StoreError) -> Tally {
        var tally = Tally()
        try walk(table, from: []) { (_, _, checksum) throws(StoreError) in
            tally.count += 1
            tally.digest &+= UInt64(checksum)
            return true
        }
        return tally
    }

    func loadTally(meta: UInt32, table: Table) throws(StoreError) -> Tally {
        let metaTable = Table(handle: meta, name: "meta")
        guard let bytes = try get(metaTable, Array("tally.\(table.name)".utf8)) else {
            return Tally()
        }
        var reader = RecordReader(bytes)
        guard let count: UInt64 = reader.integer(), let digest: UInt64 = reader.integer() else {
            throw .corrupt(table: "meta", key: "tally.\(table.name)")
        }
        return Tally(count: count, digest: digest)
    }

    func storeTallies(meta: UInt32) throws(StoreError) {
        let metaTable = Table(handle: meta, name: "meta")
        for (table, tally) in changes.changed {
            var writer = RecordWriter()
            writer.integer(tally.count)
            writer.integer(tally.digest)
            try put(metaTable, Array("tally.\(table.name)".utf8), writer.bytes)
        }
    }

    private func raw(
        _ table: Table,
        _ key: [UInt8]
    ) throws(StoreError) -> (value: [UInt8], checksum: UInt32)? {
        var value: UnsafeRawPointer?
        var count = 0
        let result = unsafe key.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return EINVAL }
            return unsafe lmdb_get(raw, table.handle, base, key.count, &value, &count)
        }
        if result == MDB_NOTFOUND { return nil }
        guard result == 0 else { throw Environment.describe(result, "get", folder) }
        return try unsafe Self.open(table, key, value, count)
    }

    private func walk(
        _ table: Table,
        from start: [UInt8],
        _ body: ([UInt8], [UInt8], UInt32) throws(StoreError) -> Bool
    ) throws(StoreError) {
        var opened: OpaquePointer?
        let result = unsafe mdb_cursor_open(raw, table.handle, &opened)
        guard result == 0, let cursor = unsafe opened else {
            throw Environment.describe(result, "scan", folder)
        }
        defer { unsafe mdb_cursor_close(cursor) }
        var operation = start.isEmpty ? MDB_FIRST : MDB_SET_RANGE
        while true {
            var key: UnsafeRawPointer?
            var value: UnsafeRawPointer?
            var keyCount = start.count
            var valueCount = 0
            let moved = unsafe start.withUnsafeBytes { bytes -> Int32 in
                unsafe key = bytes.baseAddress
                return unsafe lmdb_move(cursor, &key, &keyCount, &value, &valueCount, operation)
            }
            if moved == MDB_NOTFOUND { return }
            guard moved == 0, let found = unsafe key else {
                throw Environment.describe(moved, "scan", folder)
            }
            // LMDB's memory stays until the next write of this transaction.
            let name = unsafe [UInt8](UnsafeRawBufferPointer(start: found, count: keyCount))
            let record = try unsafe Self.open(table, name, value, valueCount)
            guard try body(name, record.value, record.checksum) else { return }
            operation = MDB_NEXT
        }
    }

    /// Takes a stored record apart and checks it.
    private static func open(
        _ table: Table,
        _ key: [UInt8],
        _ pointer: UnsafeRawPointer?,
        _ count: Int
    ) throws(StoreError) -> (value: [UInt8], checksum: UInt32) {
        guard count >= 4, let pointer = unsafe pointer else {
            throw .corrupt(table: table.name, key: Hex.encode(key))
        }
        let bytes = unsafe UnsafeRawBufferPointer(start: pointer, count: count)
        let value = unsafe [UInt8](bytes.prefix(count - 4))
        let stored = UInt32(
            bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
        )
        guard stored == checksum(table.name, key, value) else {
            throw .corrupt(table: table.name, key: Hex.encode(key))
        }
        return (value, stored)
    }

    private static func checksum(_ name: String, _ key: [UInt8], _ value: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0
        for part in [Array(name.utf8), [UInt8(truncatingIfNeeded: key.count)], key, value] {
            crc = unsafe part.withUnsafeBytes { unsafe lmdb_crc32c(crc, $0.baseAddress, $0.count) }
        }
        return crc
    }
}

/// The tallies as a transaction would leave them.
private final class TallyChanges {
    private(set) var tallies: [UInt32: Tally]
    private(set) var changed: [Table: Tally] = [:]

    init(_ tallies: [UInt32: Tally]) { self.tallies = tallies }

    func add(_ table: Table, _ checksum: UInt32) {
        guard table.name != "meta" else { return }
        var tally = tallies[table.handle] ?? Tally()
        tally.count += 1
        tally.digest &+= UInt64(checksum)
        set(table, tally)
    }

    func remove(_ table: Table, _ checksum: UInt32) {
        guard table.name != "meta" else { return }
        var tally = tallies[table.handle] ?? Tally()
        tally.count &-= 1
        tally.digest &-= UInt64(checksum)
        set(table, tally)
    }

    private func set(_ table: Table, _ tally: Tally) {
        tallies[table.handle] = tally
        changed[table] = tally
    }
}
