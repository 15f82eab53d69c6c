public import Bytes
internal import Crypto
internal import Datapath
internal import Sphinx
internal import Tickets
internal import Trace

/// The packets of a load run, built once and kept in a file: each as its sender sends it, and
/// behind it a note of what must come of it.
///
///     note    mark u64 ‖ acknowledgement 96; its link is the next hop's
///
/// The mark is the beginning of the challenge in the ticket that the relay issues for the packet:
/// by it the packet is known when it comes out again.
public final class LoadTrace: Sendable {
    /// One packet.
    public struct Row: BitwiseCopyable, Sendable {
        /// Where it lies in the file.
        public var offset = 0
        /// Where its acknowledgement lies.
        public var ackOffset = 0
        /// By what it is known again.
        public var mark: UInt64 = 0
        /// Link that it comes by.
        public var sender: UInt32 = 0
        /// Link that it leaves by.
        public var nextLink: UInt32 = 0
    }

    private static let noteBytes = 8 + 96

    /// Whose packets these are.
    public let plan: LoadPlan
    /// The packets, in the order in which they are sent.
    public let rows: Column<Row>
    private let pages: MappedPages
    private let index: MappedPages
    private let marks: Column<UInt32>

    /// Builds a trace if the file holds no other of the same plan, and reads it.
    ///
    /// - Parameter say: told what takes time.
    public static func open(
        _ path: String,
        _ plan: LoadPlan,
        say: (String) -> Void
    ) throws(LoadError) -> LoadTrace {
        if let trace = try? LoadTrace(path, plan) { return trace }
        say("building \(plan.packets) packets for \(path)")
        try build(path, plan)
        return try LoadTrace(path, plan)
    }

    /// Reads a trace.
    private init(_ path: String, _ plan: LoadPlan) throws(LoadError) {
        guard let file = OldFile(path) else { throw LoadError("no file \(path)") }
        self.plan = plan
        let count = plan.rounds * plan.roundPackets
        var places = 1
        while places < 2 * count { places *= 2 }
        let rowBytes = count * MemoryLayout<Row>.stride
        do throws(DatapathError) {
            pages = try MappedPages(file.byteCount)
            index = try MappedPages(rowBytes + 4 * places)
        } catch {
            throw LoadError("\(path): \(error)")
        }
        rows = index.region.column(0, count: count)
        marks = index.region.column(rowBytes, count: places)
        guard file.read(into: pages.region) else { throw LoadError("\(path) became shorter") }
        let header: TraceHeader
        do throws(TraceError) {
            header = try read()
        } catch {
            throw LoadError("\(path): \(error)")
        }
        guard header == LoadTrace.header(plan) else {
            throw LoadError("\(path) is the trace of another run")
        }
        for number in 0..<count { enter(number) }
    }

    /// Finds all packets; returns the file's header.
    private func read() throws(TraceError) -> TraceHeader {
        var number = 0
        return try TraceReader.read(pages.region) { record in
            let offset = Int(record.kept.address - pages.region.address)
            guard number < rows.count else { return }
            if record.kind == TraceRecord.packet {
                rows[number].offset = offset
                rows[number].sender = UInt32(record.link)
            } else if record.size == LoadTrace.noteBytes {
                rows[number].mark = record.kept.load(0)
                rows[number].ackOffset = offset + 8
                rows[number].nextLink = UInt32(record.link)
                number += 1
            }
        }
    }

    private func enter(_ number: Int) {
        var place = Int(truncatingIfNeeded: rows[number].mark) & (marks.count - 1)
        while marks[place] != 0 { place = (place + 1) & (marks.count - 1) }
        marks[place] = UInt32(number) + 1
    }

    /// Packets.
    public var count: Int { rows.count }

    /// A packet as it is sent.
    public func packet(_ number: Int) -> Region {
        pages.region.slice(rows[number].offset, plan.geometry.packetBytes)
    }

    /// How its next hop acknowledges it.
    public func acknowledgement(_ number: Int) -> Region {
        pages.region.slice(rows[number].ackOffset, Acknowledgements.byteCount)
    }

    /// The packet that the relay made another of; nil if it is none of ours.
    public func number(ofForwarded packet: Region) -> Int? {
        let mark: UInt64 = packet.load(plan.geometry.ticketOffset + LoadTrace.challengeOffset)
        var place = Int(truncatingIfNeeded: mark) & (marks.count - 1)
        while marks[place] != 0 {
            let number = Int(marks[place]) - 1
            if rows[number].mark == mark { return number }
            place = (place + 1) & (marks.count - 1)
        }
        return nil
    }

    /// Where the challenge stands in a ticket.
    private static let challengeOffset = 48

    // MARK: building

    private static func header(_ plan: LoadPlan) -> TraceHeader {
        let label = Hash.blake3(Array(plan.signature.utf8))
        return TraceHeader(
            packetBytes: plan.geometry.packetBytes,
            links: plan.links,
            keptBytesMax: plan.geometry.packetBytes,
            isWhole: true,
            label: Bytes16(label.array.prefix(16)) ?? Bytes16()
        )
    }

    private static func build(_ path: String, _ plan: LoadPlan) throws(LoadError) {
        let builder = LoadBuilder(LoadNetwork(plan, port: 0))
        let file = try NewFile(path)
        let memory = Memory(TraceFormat.blockBytesMax)
        let small = Memory(LoadTrace.noteBytes)
        var writer = TraceWriter(header(plan), memory: memory.region)
        writer.begin(into: small.region.slice(0, TraceFormat.headerBytes))
        try file.write(small.region.slice(0, TraceFormat.headerBytes))
        for _ in 0..<plan.rounds {
            for index in builder.round() {
                let made = builder.made[index]
                small.region.store(made.mark, 0)
                small.region.store(builder.acks[index], 8)
                let packet = builder.packet(index)
                try append(packet, .incoming, made.sender, TraceRecord.packet, &writer, file)
                let link = plan.link(nextHop: made.nextHop)
                try append(small.region, .outgoing, link, TraceRecord.note, &writer, file)
            }
        }
        if let block = writer.block() { try file.write(block) }
        try file.write(writer.end())
        try file.finish()
    }

    private static func append(
        _ bytes: Region,
        _ direction: TraceRecord.Direction,
        _ link: Int,
        _ kind: UInt8,
        _ writer: inout TraceWriter,
        _ file: borrowing NewFile
    ) throws(LoadError) {
        let record = TraceRecord(
            nanos: 0,
            link: link,
            direction: direction,
            kind: kind,
            size: bytes.byteCount,
            kept: bytes
        )
        if writer.append(record) { return }
        if let block = writer.block() { try file.write(block) }
        let fits = writer.append(record)
        precondition(fits, "a block takes a record")
    }
}
