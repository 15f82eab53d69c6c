internal import Bytes
internal import Trace

/// Why a recording ended.
public enum TraceEnd: UInt8, CaseIterable, Sendable {
    /// Somebody asked for it.
    case asked = 1
    /// The time is over.
    case seconds
    /// The file is as long as it may be.
    case bytes
    /// The disk takes no more.
    case disk
    /// Another program goes on in the node's place.
    case upgrade
    /// The node stops.
    case stop
    /// Whoever began it has not asked for it for long.
    case unasked

    /// For people.
    public var text: String {
        switch self {
        case .asked: "stopped"
        case .seconds: "the time is over"
        case .bytes: "the file is as long as it may be"
        case .disk: "the disk takes no more"
        case .upgrade: "the node was upgraded"
        case .stop: "the node stopped"
        case .unasked: "nobody asked for it any more"
        }
    }

    /// The reason with a case's name.
    public init?(named name: String) {
        guard let found = TraceEnd.allCases.first(where: { "\($0)" == name }) else { return nil }
        self = found
    }

    /// True if that is what was wished.
    public var isWished: Bool { self == .asked || self == .seconds || self == .bytes }
}

/// What a recording says of itself between its records: `records that found no room since the last
/// note u64 ‖ end u8, 0 if it goes on ‖ zero 7`.
struct TraceNote: Equatable {
    static let byteCount = 16
    /// The label of a trace that a node recorded.
    static let label = Bytes16(Array("dray record".utf8) + [0, 0, 0, 0, 0])

    var dropped: UInt64
    var end: TraceEnd?

    func write(to bytes: Region) {
        bytes.fill(0)
        bytes.store(dropped.littleEndian, 0)
        bytes.store(end?.rawValue ?? 0, 8)
    }

    init(dropped: UInt64, end: TraceEnd?) {
        self.dropped = dropped
        self.end = end
    }

    /// The note in a record; nil if it holds none.
    init?(_ record: TraceRecord) {
        guard record.kind == TraceRecord.note, record.kept.byteCount == Self.byteCount else {
            return nil
        }
        dropped = UInt64(littleEndian: record.kept.load(0))
        end = TraceEnd(rawValue: record.kept.byte(8))
    }
}
