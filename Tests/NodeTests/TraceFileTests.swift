import Bytes
import JSON
import TestSupport
import Testing
import Trace

@testable import Node

/// Traces as files.
@Suite struct TraceFileTests {
    private let folder: String

    init() throws { folder = try Files.makeTemporaryFolder("dray-trace-test") }

    private static let header = TraceHeader(
        packetBytes: 1_461,
        links: Int(UInt32.max),
        keptBytesMax: 1_461,
        wallNanos: 1_800_000_000_000_000_000,
        label: TraceNote.label ?? Bytes16()
    )

    /// Writes so many packets, each kept whole, until the file takes no more; how many it took.
    private func write(
        _ path: String,
        _ count: Int,
        limit: Int = .max,
        room: Int = .max
    ) throws -> (taken: Int, end: TraceEnd) {
        let file = try TraceFile(path, Self.header, limit: limit, room: room)
        let packet = Memory(1_461)
        var (taken, end) = (0, TraceEnd.asked)
        do throws(SystemError) {
            for number in 0..<count {
                packet.region.store(UInt64(number), 0)
                let record = TraceRecord(
                    nanos: UInt64(number),
                    link: 7,
                    direction: .incoming,
                    kind: TraceRecord.packet,
                    size: 1_461,
                    kept: packet.region
                )
                guard try file.add(record) else {
                    end = .bytes
                    break
                }
                taken += 1
                if number == 50 { try file.note(dropped: 3, nanos: 50) }
                // Blocks of many sizes.
                if number % 17 == 16 { try file.flush() }
            }
        } catch {
            end = .disk
        }
        let isEnd = try file.finish(end, dropped: 5, nanos: UInt64(count))
        if isEnd == .asked { #expect(file.count == taken) }
        return (taken, isEnd)
    }

    private func numbers(_ path: String) throws -> [UInt64] {
        var stream = try TraceStream(path)
        var all: [UInt64] = []
        while let record = try stream.next() {
            if record.kind == TraceRecord.packet { all.append(record.kept.load(0)) }
        }
        return all
    }

    @Test func `a trace is its owner's alone, and takes no other file's place unasked`() throws {
        defer { Files.removeTree(folder) }
        let path = "\(folder)/x.trace"
        _ = try write(path, 3)
        #expect(Files.permissions(path) == 0o600)
        #expect { _ = try TraceFile(path, Self.header) } throws: { "\($0)".contains("File exists") }
        #expect(try numbers(path) == [0, 1, 2])
        let other = try TraceFile(path, Self.header, replaces: true)
        _ = try other.finish(.asked, dropped: 0, nanos: 0)
        #expect(try numbers(path).isEmpty)
        #expect(Files.permissions(path) == 0o600)
        #expect { _ = try TraceFile("\(folder)/no/x", Self.header) } throws: {
            "\($0)".contains("No such file")
        }
    }

    @Test func `a trace is never longer than it may be, and has an end`() throws {
        defer { Files.removeTree(folder) }
        var random = SeededGenerator("trace limits")
        for number in 0..<30 {
            let limit = Int.random(in: TraceWish.bytesLeast...400_000, using: &random)
            let path = "\(folder)/\(number).trace"
            let (taken, end) = try write(path, 400, limit: limit)
            let bytes = try Files.read(path).count
            #expect(bytes <= limit && (end == .bytes) == (taken < 400))
            // It is nearly full.
            #expect(end != .bytes || bytes > limit - 2_000, "\(bytes) of \(limit)")
            #expect(try numbers(path) == (0..<UInt64(taken)).map { $0 })
            let summary = try TraceSummary(path)
            #expect(summary.end == end && summary.document["dropped"]?.integer == 5)
        }
    }

    @Test func `a trace on a full disk has an end that says so`() throws {
        defer { Files.removeTree(folder) }
        var random = SeededGenerator("trace rooms")
        for number in 0..<60 {
            let room = Int.random(in: 400...150_000, using: &random)
            let path = "\(folder)/\(number).trace"
            let (taken, end) = try write(path, 100, room: room)
            let found = try numbers(path)
            #expect(found == (0..<UInt64(found.count)).map { $0 }, "room \(room)")
            #expect(found.count <= taken && (end == .disk || found.count == 100))
            let summary = try TraceSummary(path)
            #expect(summary.end == end && summary.document["dropped"]?.integer == 5)
        }
        #expect(throws: SystemError.self) {
            _ = try TraceFile("\(folder)/y", Self.header, room: 63)
        }
        #expect(!Files.exists("\(folder)/y"))
    }

    @Test func `a damaged file is named with the place of the fault`() throws {
        defer { Files.removeTree(folder) }
        let path = "\(folder)/x.trace"
        _ = try write(path, 20)
        let whole = try Files.read(path)
        func complaint(_ bytes: [UInt8]) throws -> String {
            Files.remove(path)
            try Files.create(path, bytes)
            do throws(TraceFailure) {
                _ = try TraceSummary(path)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(try complaint(whole).isEmpty)
        for count in [0, 63, 64, 70, 1_000, whole.count - 33, whole.count - 1] {
            let text = try complaint(Array(whole[..<count]))
            #expect(text == "\(path): byte \(count): the file ends too early", "\(text)")
        }
        var other = whole
        other[8] = 9
        #expect(try complaint(other) == "\(path): byte 8: version 9 is unknown")
        other = whole
        other[100] ^= 1
        #expect(try complaint(other).hasPrefix("\(path): byte 64: the checksum"))
        #expect(try complaint(whole + [0]).hasPrefix("\(path): byte \(whole.count): "))
        #expect(try complaint([UInt8](repeating: 65, count: 500)).contains("this is no trace"))
    }

    /// As load runs keep their packets: whole, and behind each a note of their own.
    @Test func `a trace that was made is shown too`() throws {
        defer { Files.removeTree(folder) }
        let path = "\(folder)/load.trace"
        let (memory, head) = (Memory(TraceFormat.blockBytesMax), Memory(TraceFormat.headerBytes))
        let header = TraceHeader(packetBytes: 400, links: 64, keptBytesMax: 400, isWhole: true)
        var writer = TraceWriter(header, memory: memory.region)
        writer.begin(into: head.region)
        let packet = Memory(400)
        for link in 0..<30 {
            for (kind, bytes) in [(TraceRecord.packet, 400), (TraceRecord.note, 104)] {
                let isTaken = writer.append(
                    TraceRecord(
                        nanos: 0,
                        link: link,
                        direction: kind == TraceRecord.note ? .outgoing : .incoming,
                        kind: kind,
                        size: bytes,
                        kept: packet.region.slice(0, bytes)
                    )
                )
                #expect(isTaken)
            }
        }
        let block = writer.block()?.array ?? []
        try Files.create(path, head.region.array + block + writer.end().array)
        let shown = try Program.run(["trace", "show", path, "--records", "2"])
        #expect(shown.code == 0, "\(shown.errors)")
        #expect(shown.output.contains("made, not recorded, packets of 400 bytes, all bytes kept"))
        #expect(shown.output.contains("in packet       30  12000    400   400  12000"))
        #expect(shown.output.contains("and 10 more"))
        let json = try JSON.parse(try Program.run(["trace", "show", path, "--json"]).output)
        #expect(json["records"]?.integer == 60 && json["kinds"]?.elements?.count == 2)
        #expect(json["recorded"]?.bool == false && json["first_records"]?.elements == [])
    }
}
