import Bytes
import Foundation
import LedgerSupport
import TestSupport
import Testing

@testable import Store

@Suite struct EnvironmentTests {
    let folder = TemporaryFolder("environment")

    func open(
        format: UInt32 = 1,
        kind: String = "test",
        mapBytes: Int = 256 << 20,
        free: UInt64 = 0
    ) throws(StoreError) -> Environment {
        try Environment(
            folder: folder.path,
            kind: kind,
            format: format,
            tables: ["a", "b"],
            mapBytes: mapBytes,
            freeBytesMin: free
        )
    }

    func put(_ environment: Environment, _ key: String, _ value: [UInt8]) throws {
        try environment.write { (transaction) throws(StoreError) in
            try transaction.put(environment.table("a"), Array(key.utf8), value)
        }
    }

    func get(_ environment: Environment, _ key: String) throws -> [UInt8]? {
        try environment.read { (transaction) throws(StoreError) -> [UInt8]? in
            try transaction.get(environment.table("a"), Array(key.utf8))
        }
    }

    @Test func `what was written is there after a restart`() throws {
        do {
            let environment = try open()
            try put(environment, "key", [1, 2, 3])
            try put(environment, "empty", [])
        }
        let environment = try open()
        #expect(try get(environment, "key") == [1, 2, 3])
        #expect(try get(environment, "empty") == [])
        #expect(try get(environment, "other") == nil)
    }

    @Test func `a transaction that throws changes nothing`() throws {
        let environment = try open()
        try put(environment, "key", [1])
        #expect(throws: StoreError.corrupt(table: "x", key: "y")) {
            try environment.write { (transaction) throws(StoreError) in
                try transaction.put(environment.table("a"), Array("key".utf8), [2])
                throw .corrupt(table: "x", key: "y")
            }
        }
        #expect(try get(environment, "key") == [1])
    }

    @Test func `a second user of the folder gets one clear error`() throws {
        let first = try open()
        do {
            _ = try open()
            Issue.record("opened twice")
        } catch {
            guard case .folderInUse(let path, let holder) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(path == folder.path)
            #expect(holder.contains("\(getpid())"))
        }
        try put(first, "key", [1])
    }

    @Test func `a newer format is refused and left alone`() throws {
        do {
            let environment = try open(format: 7)
            try put(environment, "key", [1])
        }
        #expect(throws: StoreError.newerFormat(folder: folder.path, found: 7, supported: 6)) {
            try open(format: 6)
        }
        let environment = try open(format: 7)
        #expect(try get(environment, "key") == [1])
    }

    @Test func `data of another kind is refused`() throws {
        do { _ = try open(kind: "ledger") }
        #expect(
            throws: StoreError.wrongKind(folder: folder.path, found: "ledger", expected: "node")
        ) {
            try open(kind: "node")
        }
    }

    @Test func `too little space on the disk is one clear error`() throws {
        #expect(throws: StoreError.diskFull(folder: folder.path)) { try open(free: .max) }
    }

    @Test func `the map grows when it is full`() throws {
        let value = [UInt8](repeating: 5, count: 4_000)
        do {
            let environment = try open(mapBytes: 1 << 20)
            for index in 0..<300 { try put(environment, "k\(index)", value) }
        }
        let environment = try open(mapBytes: 1 << 20)
        for index in 0..<300 { #expect(try get(environment, "k\(index)") == value) }
    }

    @Test func `a flipped byte is detected and named`() throws {
        let value = Array("a value that is easy to find".utf8)
        do {
            let environment = try open()
            for index in 0..<50 { try put(environment, "k\(index)", [UInt8(index)]) }
            try put(environment, "key", value)
        }
        let file = URL(fileURLWithPath: folder.path + "/data.mdb")
        var bytes = try Data(contentsOf: file)
        // Every copy: LMDB leaves older versions of a page behind.
        var from = bytes.startIndex
        while let found = bytes.range(of: Data(value), in: from..<bytes.endIndex) {
            bytes[found.lowerBound] ^= 1
            from = found.upperBound
        }
        try bytes.write(to: file)
        #expect(throws: StoreError.corrupt(table: "a", key: Hex.encode(Array("key".utf8)))) {
            try open()
        }
    }

    @Test func `a file cut short is detected`() throws {
        do {
            let environment = try open()
            for index in 0..<200 {
                try put(environment, "k\(index)", [UInt8](repeating: 1, count: 900))
            }
        }
        let path = folder.path + "/data.mdb"
        let size = try #require(
            FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        )
        for part in [size / 2, 4_096 * 3, 100] {
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.truncate(atOffset: UInt64(part))
            do {
                _ = try open()
                Issue.record("opened a file of \(part) bytes")
            } catch {
                guard case .corrupt = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    @Test func `a record that vanished is noticed`() throws {
        do {
            let environment = try open()
            for index in 0..<3 { try put(environment, "k\(index)", [1]) }
        }
        do {
            // The tally says four: one more than there are.
            let environment = try open()
            try environment.write { (transaction) throws(StoreError) in
                var tally = RecordWriter()
                tally.integer(UInt64(4))
                tally.integer(UInt64(99))
                let meta = Table(handle: environment.meta, name: "meta")
                try transaction.put(meta, Array("tally.a".utf8), tally.bytes)
            }
        }
        #expect(throws: StoreError.corrupt(table: "a", key: "(records are missing)")) {
            try open()
        }
    }

    @Test func `a record that belongs to another table is detected`() throws {
        let environment = try open()
        try put(environment, "one", [1])
        let disguised = Table(handle: environment.table("a").handle, name: "b")
        #expect(throws: StoreError.corrupt(table: "b", key: Hex.encode(Array("one".utf8)))) {
            try environment.read { (transaction) throws(StoreError) in
                _ = try transaction.get(disguised, Array("one".utf8))
            }
        }
    }

    @Test func `rubbish instead of a database is refused`() throws {
        _ = try FolderLock(folder.path)
        let file = URL(fileURLWithPath: folder.path + "/data.mdb")
        try Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }).write(to: file)
        do {
            _ = try open()
            Issue.record("opened rubbish")
        } catch {
            guard case .corrupt = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func `random changes equal a dictionary, through restarts`() throws {
        var random = SeededGenerator("environment")
        var model: [String: [UInt8]] = [:]
        for _ in 0..<5 {
            let environment = try open(mapBytes: 1 << 20)
            for _ in 0..<60 {
                let key = "k\(random.next() % 40)"
                if random.next() % 3 == 0 {
                    model[key] = nil
                    try environment.write { (transaction) throws(StoreError) in
                        try transaction.delete(environment.table("a"), Array(key.utf8))
                    }
                } else {
                    let value = random.bytes(Int(random.next() % 600))
                    model[key] = value
                    try put(environment, key, value)
                }
            }
            var found: [String: [UInt8]] = [:]
            try environment.read { (transaction) throws(StoreError) in
                try transaction.scan(environment.table("a")) { (key, value) throws(StoreError) in
                    found[String(decoding: key, as: UTF8.self)] = value
                    return true
                }
            }
            #expect(found == model)
        }
    }
}

/// A real full disk, where the tests may mount one.
@Suite struct FullDiskTests {
    private func run(_ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// Writes until the disk is full; answers how many records were written.
    private func fill(_ path: String) throws -> Int {
        var written = 0
        do {
            let environment = try Environment(
                folder: path,
                kind: "test",
                format: 1,
                tables: ["a"],
                freeBytesMin: 0
            )
            #expect(throws: StoreError.diskFull(folder: path)) {
                while written < 10_000 {
                    try environment.write { (transaction) throws(StoreError) in
                        try transaction.put(
                            environment.table("a"),
                            Array("k\(written)".utf8),
                            [UInt8](repeating: 1, count: 2_000)
                        )
                    }
                    written += 1
                }
            }
            #expect(throws: StoreError.stopped(folder: path)) {
                try environment.write { (_) throws(StoreError) in }
            }
        }
        return written
    }

    @Test func `a disk that fills up refuses, and keeps what was written`() throws {
        let folder = TemporaryFolder("full")
        try FileManager.default.createDirectory(
            atPath: folder.path,
            withIntermediateDirectories: true
        )
        guard run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path]) else { return }
        defer { _ = run(["umount", "-l", folder.path]) }
        let path = folder.path + "/data"
        let written = try fill(path)
        #expect(written > 10)
        #expect(throws: StoreError.diskFull(folder: path)) {
            _ = try Environment(
                folder: path,
                kind: "test",
                format: 1,
                tables: ["a"],
                freeBytesMin: 1 << 20
            )
        }
        #expect(run(["mount", "-o", "remount,size=8m", folder.path]))
        let environment = try Environment(
            folder: path,
            kind: "test",
            format: 1,
            tables: ["a"],
            freeBytesMin: 0
        )
        var count = 0
        try environment.read { (transaction) throws(StoreError) in
            try transaction.scan(environment.table("a")) { (_, _) throws(StoreError) in
                count += 1
                return true
            }
        }
        #expect(count == written)
    }
}
