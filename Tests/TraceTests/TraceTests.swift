import Bytes
import Crypto
import TestSupport
import Testing

@testable import Trace

/// A record with its bytes, for comparing.
struct Kept: Equatable {
    var nanos: UInt64
    var link: Int
    var direction: TraceRecord.Direction
    var kind: UInt8
    var size: Int
    var bytes: [UInt8]

    init(_ record: TraceRecord) {
        nanos = record.nanos
        link = record.link
        direction = record.direction
        kind = record.kind
        size = record.size
        bytes = record.kept.array
    }

    init(_ random: inout SeededGenerator, links: Int, sizeMax: Int) {
        nanos = random.next()
        link = Int.random(in: 0..<links, using: &random)
        direction = Bool.random(using: &random) ? .incoming : .outgoing
        kind = UInt8.random(in: 0...255, using: &random)
        size = Int.random(in: 0...sizeMax, using: &random)
        bytes = random.bytes(size)
    }
}

/// Writes records as a trace of blocks with at most `blockBytes`.
func trace(_ header: TraceHeader, _ records: [Kept], blockBytes: Int = 4_096) -> [UInt8] {
    let memory = Memory(blockBytes)
    let head = Memory(TraceFormat.headerBytes)
    var writer = TraceWriter(header, memory: memory.region)
    writer.begin(into: head.region)
    var file = head.region.array
    for record in records {
        var bytes = record.bytes
        bytes.withRegion { region in
            let record = TraceRecord(
                nanos: record.nanos,
                link: record.link,
                direction: record.direction,
                kind: record.kind,
                size: record.size,
                kept: region
            )
            if writer.append(record) { return }
            if let block = writer.block() { file += block.array }
            let fits = writer.append(record)
            #expect(fits)
        }
    }
    if let block = writer.block() { file += block.array }
    #expect(writer.count == UInt64(records.count))
    file += writer.end().array
    return file
}

/// What a file says, or why it says nothing.
func read(_ file: [UInt8]) -> Result<(TraceHeader, [Kept]), TraceError> {
    var (file, records) = (file, [Kept]())
    return file.withRegion { region -> Result<(TraceHeader, [Kept]), TraceError> in
        do throws(TraceError) {
            let header = try TraceReader.read(region) { records.append(Kept($0)) }
            return .success((header, records))
        } catch {
            return .failure(error)
        }
    }
}

func reason(_ file: [UInt8]) -> TraceError.Reason? {
    if case .failure(let error) = read(file) { error.reason } else { nil }
}

func offset(_ file: [UInt8]) -> Int? {
    if case .failure(let error) = read(file) { error.offset } else { nil }
}

/// Makes the checksum of the last 16 bytes of a range anew.
func sealed(_ file: [UInt8], _ range: Range<Int>) -> [UInt8] {
    var (file, part) = (file, Array(file[range]))
    part.withRegion { TraceFormat.seal($0) }
    file.replaceSubrange(range, with: part)
    return file
}

@Suite struct TraceTests {
    @Test func `what was written is read, whatever the sizes and blocks`() throws {
        var random = SeededGenerator("trace")
        for _ in 0..<50 {
            let header = TraceHeader(
                packetBytes: Int.random(in: 0...5_000, using: &random),
                links: Int.random(in: 1...9, using: &random),
                keptBytesMax: 2_000,
                isWhole: true,
                wallNanos: random.next(),
                label: Bytes16(random.bytes(16)) ?? Bytes16()
            )
            let records = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                Kept(&random, links: header.links, sizeMax: 2_000)
            }
            let blockBytes = Int.random(in: 2_100...9_000, using: &random)
            let (found, kept) = try read(trace(header, records, blockBytes: blockBytes)).get()
            #expect(found == header)
            #expect(kept == records)
        }
    }

    @Test func `no more is kept than was asked for, and the sizes stay`() throws {
        var random = SeededGenerator("kept", seed: 7)
        let records = (0..<40).map { _ in Kept(&random, links: 2, sizeMax: 100) }
        for keptBytesMax in [0, 16] {
            let header = TraceHeader(packetBytes: 90, links: 2, keptBytesMax: keptBytesMax)
            let (_, found) = try read(trace(header, records)).get()
            #expect(found.map(\.size) == records.map(\.size))
            #expect(found.map(\.bytes) == records.map { Array($0.bytes.prefix(keptBytesMax)) })
        }
    }

    @Test func `any byte that changes is noticed`() {
        var random = SeededGenerator("flips")
        let records = (0..<12).map { _ in Kept(&random, links: 3, sizeMax: 60) }
        let header = TraceHeader(packetBytes: 60, links: 3, keptBytesMax: 60)
        let file = trace(header, records, blockBytes: 300)
        for place in file.indices {
            var changed = file
            changed[place] ^= UInt8(1 << Int.random(in: 0...7, using: &random))
            #expect(reason(changed) != nil, "byte \(place)")
        }
    }

    @Test func `a file that ends anywhere else than at its end is cut off`() {
        var random = SeededGenerator("cuts", seed: 3)
        let records = (0..<12).map { _ in Kept(&random, links: 3, sizeMax: 60) }
        let header = TraceHeader(packetBytes: 60, links: 3, keptBytesMax: 60)
        let file = trace(header, records, blockBytes: 300)
        for count in file.indices {
            let cut = Array(file.prefix(count))
            #expect(reason(cut) == .cutOff, "\(count) bytes")
            #expect(offset(cut) == count)
        }
        #expect(reason(file + [0]) == .trailing)
        #expect(offset(file + [0]) == file.count)
        #expect(reason(file + file.suffix(32)) == .trailing)
    }

    @Test func `blocks that are missing, doubled or exchanged are noticed`() {
        var random = SeededGenerator("order", seed: 4)
        // Blocks of one record, all of a length.
        let records = (0..<4).map { _ in
            var record = Kept(&random, links: 1, sizeMax: 0)
            record.bytes = random.bytes(50)
            record.size = 50
            return record
        }
        let header = TraceHeader(packetBytes: 50, links: 1, keptBytesMax: 50)
        let file = trace(header, records, blockBytes: 150)
        let block = 16 + 24 + 50 + 16
        let parts = (0..<4).map { Array(file[(64 + $0 * block)..<(64 + ($0 + 1) * block)]) }
        #expect(file == Array(file.prefix(64)) + parts.flatMap { $0 } + file.suffix(32))
        for order in [[0, 1, 3], [0, 1, 1, 2, 3], [1, 0, 2, 3], [0, 1, 2]] {
            let changed = file.prefix(64) + order.flatMap { parts[$0] } + file.suffix(32)
            guard case .order = reason(Array(changed)) else {
                Issue.record("order \(order) is taken")
                continue
            }
        }
    }
}

/// Faults with a good checksum: from somebody who writes traces wrongly, or on purpose.
@Suite struct HostileTraceTests {
    let file: [UInt8]
    let block: Range<Int>

    init() {
        var random = SeededGenerator("hostile", seed: 5)
        var record = Kept(&random, links: 3, sizeMax: 0)
        record.bytes = random.bytes(40)
        record.size = 40
        let header = TraceHeader(packetBytes: 60, links: 3, keptBytesMax: 60)
        file = trace(header, [record])
        block = 64..<(file.count - 32)
    }

    /// The file with bytes put somewhere, and good checksums.
    func changed(_ bytes: [UInt8], at place: Int, in range: Range<Int>) -> [UInt8] {
        var file = file
        file.replaceSubrange(place..<(place + bytes.count), with: bytes)
        return sealed(file, range)
    }

    @Test func `headers`() {
        #expect(reason(file) == nil)
        #expect(reason(Array("DRAYTRC2".utf8) + file.dropFirst(8)) == .noTrace)
        #expect(reason(changed([2, 0], at: 8, in: 0..<64)) == .version(2))
        #expect(reason(changed([2, 0], at: 10, in: 0..<64)) == .flags(2))
        let much = TraceFormat.keptBytesMax + 1
        let bytes = [UInt8(much & 255), 0, UInt8(much >> 16), 0]
        #expect(reason(changed(bytes, at: 20, in: 0..<64)) == .keptMax(much))
    }

    @Test func `the length of a block is looked at before anything is read`() {
        let bytes: [UInt8] = [0xff, 0xff, 0xff, 0xff]
        let found = reason(changed(bytes, at: 64, in: block))
        #expect(found == .blockBytes(0xffff_ffff + 32))
        // Told apart by the head alone.
        var head = Array(file.prefix(64))
        _ = head.withRegion { region in
            #expect(throws: TraceError(64, .blockBytes(0xffff_ffff + 32))) {
                var reader = try TraceReader(header: region)
                region.store(UInt32.max, 0)
                _ = try reader.begin(head: region)
            }
        }
    }

    @Test func `records`() {
        let record = 64 + 16
        #expect(reason(changed([3, 0, 0, 0], at: record + 8, in: block)) == .link(3))
        #expect(reason(changed([2], at: record + 12, in: block)) == .direction(2))
        // More kept than it had; more than the header allows; more than the block has.
        #expect(reason(changed([39, 0, 0, 0], at: record + 16, in: block)) == .kept(40))
        #expect(reason(changed([61, 0, 0, 0, 61], at: record + 16, in: block)) == .kept(61))
        #expect(reason(changed([41, 0, 0, 0, 41], at: record + 16, in: block)) == .recordBytes(41))
        // Less, so that something is left of the block.
        #expect(reason(changed([39], at: record + 20, in: block)) == .blockContent)
        // A record more than there are, and one less: that makes it the end block.
        #expect(reason(changed([2], at: 64 + 4, in: block)) == .blockContent)
        #expect(reason(changed([0], at: 64 + 4, in: block)) == .blockContent)
    }

    @Test func `a trace that says it is whole keeps everything`() {
        let file = sealed(Array(file.prefix(10) + [1] + file.dropFirst(11)), 0..<64)
        #expect(reason(file) == nil)
        var short = file
        short[64 + 16 + 16] = 41
        #expect(reason(sealed(short, block)) == .kept(40))
    }

    @Test func `errors say where`() {
        let error = TraceError(4_711, .checksum)
        #expect("\(error)".hasPrefix("byte 4711: "))
        #expect(offset(changed([3], at: 64 + 16 + 8, in: block)) == 64 + 16 + 8)
    }

    @Test func `records that were not written are taken back`() {
        var random = SeededGenerator("retract")
        let header = TraceHeader(packetBytes: 1, links: 9, keptBytesMax: 100)
        let memory = Memory(4_096)
        let head = Memory(TraceFormat.headerBytes)
        var writer = TraceWriter(header, memory: memory.region)
        writer.begin(into: head.region)
        var file = head.region.array
        func append(_ count: Int) -> [Kept] {
            (0..<count).map { _ in
                var kept = Kept(&random, links: 9, sizeMax: 100)
                let made = kept
                kept.bytes.withRegion { region in
                    let isTaken = writer.append(
                        TraceRecord(
                            nanos: made.nanos,
                            link: made.link,
                            direction: made.direction,
                            kind: made.kind,
                            size: made.size,
                            kept: region
                        )
                    )
                    #expect(isTaken)
                }
                return made
            }
        }
        #expect(writer.blockBytes == 0)
        let first = append(10)
        let bytes = writer.blockBytes
        let block = writer.block()?.array ?? []
        #expect(block.count == bytes && writer.blockBytes == 0)
        file += block
        // A block that got lost on its way to the disk, and records of the next one.
        _ = append(7)
        _ = writer.block()
        _ = append(3)
        writer.retract(to: 10)
        #expect(writer.count == 10)
        let last = append(2)
        let rest = writer.block()?.array ?? []
        file += rest + writer.end().array
        guard case .success(let (_, found)) = read(file) else {
            Issue.record("not read")
            return
        }
        #expect(found == first + last)
    }
}
