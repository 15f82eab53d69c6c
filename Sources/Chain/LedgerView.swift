public import Bytes
internal import Exchange
internal import Store

/// A copy of register and channels that is kept up to date by following the event log.
public struct LedgerView: Sendable {
    /// Sequence of the last event applied.
    public private(set) var sequence: UInt64 = 0
    /// Packet keys by key id.
    public private(set) var nodes: [UInt32: RegisteredNode] = [:]
    /// Channels by id.
    public private(set) var channels: [Bytes32: Channel] = [:]

    /// Nothing known yet.
    public init() {}

    /// Reads all there is. Pages may be newer than the sequence; the events that follow carry whole
    /// records, so the view is exact once they were applied.
    public init(of layer: some SettlementLayer) throws(ChainError) {
        sequence = try layer.status().sequence
        var last: UInt32 = 0
        while true {
            let page = try layer.nodes(after: last)
            for node in page { nodes[node.keyID] = node }
            guard let end = page.last else { break }
            last = end.keyID
        }
        for channel in try layer.allChannels() { channels[channel.id] = channel }
        try follow(layer)
    }

    /// Applies all events there are by now; answers them.
    @discardableResult
    public mutating func follow(
        _ layer: some SettlementLayer
    ) throws(ChainError) -> [LedgerEvent] {
        var all: [LedgerEvent] = []
        while true {
            let page = try layer.events(since: sequence)
            guard !page.isEmpty else { return all }
            for event in page {
                guard apply(event) else {
                    throw .protocolViolation("event \(event.sequence) follows \(sequence)")
                }
            }
            all += page
        }
    }

    /// Takes over an event; false if it is old, or if one is missing before it.
    @discardableResult
    public mutating func apply(_ event: LedgerEvent) -> Bool {
        guard event.sequence == sequence + 1 else { return false }
        sequence = event.sequence
        if case .node(let node) = event.kind { nodes[node.keyID] = node }
        if let channel = event.channel { channels[channel.id] = channel }
        return true
    }

    /// The current packet key of a chain address.
    public func node(_ address: Address) -> RegisteredNode? {
        nodes.values.first { $0.chainAddress == address && $0.retiresMillis == 0 }
    }
}

extension LedgerView {
    /// The view as bytes.
    public var record: [UInt8] {
        var writer = RecordWriter()
        writer.integer(sequence)
        writer.integer(UInt32(nodes.count))
        for node in nodes.values { node.write(&writer) }
        writer.integer(UInt32(channels.count))
        for channel in channels.values { channel.write(&writer) }
        return writer.bytes
    }

    /// What `record` gave; nil if the bytes are no view.
    public init?(record: [UInt8]) {
        var reader = RecordReader(record)
        guard let sequence: UInt64 = reader.integer(), let nodeCount: UInt32 = reader.integer()
        else { return nil }
        self.sequence = sequence
        for _ in 0..<nodeCount {
            guard let node = RegisteredNode(&reader) else { return nil }
            nodes[node.keyID] = node
        }
        guard let channelCount: UInt32 = reader.integer() else { return nil }
        for _ in 0..<channelCount {
            guard let channel = Channel(&reader) else { return nil }
            channels[channel.id] = channel
        }
        guard reader.isAtEnd else { return nil }
    }
}
