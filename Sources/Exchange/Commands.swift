public import Bytes

/// Control's end of a command ring: packets of our own and acknowledgements that control decides.
public struct CommandWriter: Sendable {
    private var ring: RingWriter

    /// Writes into the ring in `region`.
    public init(_ region: Region) { ring = RingWriter(region) }

    /// Bytes free.
    public mutating func room() -> Int { ring.room() }

    /// Sends a complete packet, ticket included, to a neighbour.
    ///
    /// - Parameters:
    ///   - ackChallenge: the point that the neighbour's acknowledgement opens; nil if none is
    ///     expected.
    ///   - mix: true if the packet waits in the mixer like a forwarded one.
    /// - Returns: false if the ring is full.
    public mutating func send(
        nextKeyID: UInt32,
        packet: [UInt8],
        ackChallenge: Bytes33?,
        mix: Bool
    ) -> Bool {
        let head = CommandReader.sendHead
        guard let record = ring.begin(kind: CommandKind.send, head + packet.count) else {
            return false
        }
        record.store(nextKeyID, 0)
        record.store(mix ? UInt8(1) : UInt8(0), 4)
        record.store(ackChallenge == nil ? UInt8(0) : UInt8(1), 5)
        record.store(ackChallenge ?? Bytes33(), 6)
        for (index, byte) in packet.enumerated() { record.store(byte, head + index) }
        ring.end()
        return true
    }

    /// Acknowledges a packet to the neighbour it came from.
    public mutating func acknowledge(keyID: UInt32, ackKey: Bytes32) -> Bool {
        guard let record = ring.begin(kind: CommandKind.acknowledge, 40) else { return false }
        record.store(keyID, 0)
        record.store(ackKey, 8)
        ring.end()
        return true
    }
}

enum CommandKind {
    static var send: UInt32 { @_noLocks get { 1 } }
    static var acknowledge: UInt32 { @_noLocks get { 2 } }
}

/// A command as the worker sees it; the packet lies in the ring until `release`.
public struct Command: Sendable {
    /// True for a packet to send, false for an acknowledgement.
    public var isSend: Bool
    /// The neighbour.
    public var keyID: UInt32
    /// The packet waits in the mixer.
    public var mix: Bool
    /// An acknowledgement is expected.
    public var hasAckChallenge: Bool
    /// What it opens.
    public var ackChallenge: Bytes33
    /// Key to acknowledge with.
    public var ackKey: Bytes32
    /// The packet.
    public var packet: Region
}

/// The worker's end of its command ring.
public struct CommandReader: Sendable {
    static var sendHead: Int { @_noLocks get { 40 } }
    private var ring: RingReader

    /// Reads from the ring in `region`.
    public init(_ region: Region) { ring = RingReader(region) }

    /// The oldest command; call `release` when done with it.
    @_noLocks
    public mutating func next() -> Command? {
        guard let record = ring.next() else { return nil }
        let keyID: UInt32 = record.load(0)
        guard ring.kind == CommandKind.send else {
            return Command(
                isSend: false,
                keyID: keyID,
                mix: false,
                hasAckChallenge: false,
                ackChallenge: Bytes33(),
                ackKey: record.load(8),
                packet: record
            )
        }
        let head = CommandReader.sendHead
        return Command(
            isSend: true,
            keyID: keyID,
            mix: record.byte(4) == 1,
            hasAckChallenge: record.byte(5) == 1,
            ackChallenge: record.load(6),
            ackKey: Bytes32(),
            packet: record.slice(head, record.byteCount - head)
        )
    }

    /// Gives the command's memory back.
    @_noLocks
    public mutating func release() { ring.release() }
}
