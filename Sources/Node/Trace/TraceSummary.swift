internal import Bytes
public import JSON
internal import Link
internal import Trace

/// What is in a trace.
public struct TraceSummary: Sendable {
    private struct Key: Hashable {
        var isOutgoing: Bool
        var kind: UInt8
    }

    private struct Sum {
        var records: UInt64 = 0
        var bytes: UInt64 = 0
        var kept: UInt64 = 0
        var least = Int.max
        var most = 0

        mutating func add(_ record: TraceRecord) {
            records += 1
            bytes += UInt64(record.size)
            kept += UInt64(record.kept.byteCount)
            least = min(least, record.size)
            most = max(most, record.size)
        }
    }

    /// Links that are told apart.
    private static let linksMost = 65_536

    private let path: String
    private let header: TraceHeader
    private var sums: [Key: Sum] = [:]
    private var links: [Int: (in: UInt64, out: UInt64)] = [:]
    private var shown: [JSON] = []
    private var records: UInt64 = 0
    private var nanos: UInt64 = 0
    private var dropped: UInt64 = 0
    /// Why it ended; nil if it was not recorded by a node.
    public private(set) var end: TraceEnd?

    /// Reads a trace to its end.
    ///
    /// - Parameter showing: how many records are kept, the first ones.
    public init(_ path: String, showing: Int = 0) throws(TraceFailure) {
        self.path = path
        var stream = try TraceStream(path)
        header = stream.header
        while let record = try stream.next() { take(record, showing) }
    }

    private var isRecorded: Bool { header.label == TraceNote.label }

    private mutating func take(_ record: TraceRecord, _ showing: Int) {
        nanos = max(nanos, record.nanos)
        if shown.count < showing { shown.append(TraceSummary.document(record)) }
        if isRecorded, let note = TraceNote(record) {
            dropped &+= note.dropped
            end = note.end ?? end
            return
        }
        records += 1
        let isOutgoing = record.direction == .outgoing
        sums[Key(isOutgoing: isOutgoing, kind: record.kind), default: Sum()].add(record)
        guard record.kind != TraceRecord.note else { return }
        guard links[record.link] != nil || links.count < Self.linksMost else { return }
        if isOutgoing {
            links[record.link, default: (0, 0)].out += 1
        } else {
            links[record.link, default: (0, 0)].in += 1
        }
    }

    private static func document(_ record: TraceRecord) -> JSON {
        let isHead = record.kind == TraceRecord.datagram && record.kept.byteCount >= 16
        var members = [
            JSON.Member("ns", .integer(record.nanos)), JSON.Member("link", .integer(record.link)),
            JSON.Member("direction", .string(record.direction == .incoming ? "in" : "out")),
            JSON.Member("kind", .string(name(record.kind))),
            JSON.Member("size", .integer(record.size)),
            JSON.Member("kept", .integer(record.kept.byteCount)),
        ]
        if isHead {
            let head = record.kept
            let receiver = UInt32(littleEndian: head.load(4))
            let counter = UInt64(littleEndian: head.load(8))
            members += [
                JSON.Member("type", .integer(head.byte(0))),
                JSON.Member("receiver", .integer(receiver)),
                JSON.Member("counter", .integer(counter)),
            ]
        }
        return .object(members)
    }

    /// A kind's name.
    static func name(_ kind: UInt8) -> String {
        switch kind {
        case TraceRecord.datagram: return "datagram"
        case TraceRecord.note: return "note"
        default: return FrameType(number: kind).map { "\($0)" } ?? "kind \(kind)"
        }
    }

    /// Everything, for machines and for whoever makes text of it.
    public var document: JSON {
        [
            "file": .string(path), "packet_bytes": .integer(header.packetBytes),
            "recorded": .bool(isRecorded),
            "began": header.wallNanos == 0
                ? .null : .string(WallClock.text(Int(header.wallNanos / 1_000_000_000))),
            "kept_most": .integer(header.keptBytesMax), "whole": .bool(header.isWhole),
            "label": .string(header.label.hex), "seconds": .double(Double(nanos) / 1e9),
            "records": .integer(records), "dropped": .integer(dropped),
            "end": end.map { .string("\($0)") } ?? .null, "kinds": .array(kinds),
            "links": .array(
                links.sorted { $0.key < $1.key }.map { link, counts in
                    [
                        "link": .integer(link), "in": .integer(counts.in),
                        "out": .integer(counts.out),
                    ]
                }
            ),
            "first_records": .array(shown),
        ]
    }

    private var kinds: [JSON] {
        let order = sums.sorted {
            ($0.key.isOutgoing ? 1 : 0, $0.key.kind) < ($1.key.isOutgoing ? 1 : 0, $1.key.kind)
        }
        return order.map { key, sum in
            [
                "direction": .string(key.isOutgoing ? "out" : "in"),
                "kind": .string(TraceSummary.name(key.kind)), "records": .integer(sum.records),
                "bytes": .integer(sum.bytes), "least": .integer(sum.least),
                "most": .integer(sum.most), "kept": .integer(sum.kept),
            ]
        }
    }
}
