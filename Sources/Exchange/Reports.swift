public import Bytes

/// What a worker tells control.
public enum Report: Sendable {
    /// A ticket is held, its index is taken; the acknowledgement is awaited.
    case locked(channel: UInt32, index: UInt64, atNanos: UInt64)
    /// The acknowledgement came: the ticket can be drawn and redeemed.
    case unlocked(channel: UInt32, ticket: [UInt8], response: Bytes32, atNanos: UInt64)
    /// A held ticket is void; its reservation has been given back.
    case released(channel: UInt32, index: UInt64, amount: UInt128, reason: Drop)
    /// A packet for ourselves, or a reply to us.
    case delivery(Delivery)
    /// An acknowledgement for a packet of our own.
    case acknowledged(keyID: UInt32, hint: Bytes33)
    /// The public key, x ‖ y, of a channel's source, whose tickets are checked without a table.
    case signer(channel: UInt32, publicKey: Bytes64)
    /// A neighbour whose acknowledgements are checked without a table.
    case verifier(keyID: UInt32)
}

/// A packet that ended here.
public struct Delivery: Sendable {
    /// Key id of the neighbour it came from.
    public var previousKeyID: UInt32
    /// Pseudonym ‖ SURB id.
    public var senderID: FixedBytes<18>
    /// A reply: the payload is still wrapped and must be opened with the opener of `senderID`.
    public var isReply: Bool
    /// The half-key that acknowledges the packet; a reply is acknowledged by whoever opens it.
    public var ackKey: Bytes32
    /// The payload block after our own inverse: padded for a message, wrapped for a reply.
    public var payload: [UInt8]
    /// When it was taken.
    public var atNanos: UInt64

    /// A delivery.
    public init(
        previousKeyID: UInt32,
        senderID: FixedBytes<18>,
        isReply: Bool,
        ackKey: Bytes32,
        payload: [UInt8],
        atNanos: UInt64
    ) {
        self.previousKeyID = previousKeyID
        self.senderID = senderID
        self.isReply = isReply
        self.ackKey = ackKey
        self.payload = payload
        self.atNanos = atNanos
    }
}

enum ReportKind {
    static var locked: UInt32 { @_noLocks get { 1 } }
    static var unlocked: UInt32 { @_noLocks get { 2 } }
    static var released: UInt32 { @_noLocks get { 3 } }
    static var delivery: UInt32 { @_noLocks get { 4 } }
    static var acknowledged: UInt32 { @_noLocks get { 5 } }
    static var signer: UInt32 { @_noLocks get { 6 } }
    static var verifier: UInt32 { @_noLocks get { 7 } }
}

/// The worker's end of its report ring.
public struct ReportWriter: Sendable {
    /// Bytes of a ticket.
    @inlinable public static var ticketBytes: Int { @_noLocks get { 132 } }
    static var deliveryHead: Int { @_noLocks get { 72 } }

    private var ring: RingWriter

    /// Writes into the ring in `region`.
    public init(_ region: Region) { ring = RingWriter(region) }

    /// Bytes free.
    @_noLocks
    public mutating func room() -> Int { ring.room() }

    /// Bytes the ring holds.
    public var capacity: Int {
        @_noLocks
        get { ring.capacity }
    }

    /// True if a delivery of `count` payload bytes fits for sure.
    @_noLocks
    public mutating func fits(delivery count: Int) -> Bool {
        ring.room() >= 2 * RecordRing.recordBytes(ReportWriter.deliveryHead + count)
    }

    /// A ticket is held.
    @_noLocks
    public mutating func locked(channel: UInt32, index: UInt64, atNanos: UInt64) -> Bool {
        guard let record = ring.begin(kind: ReportKind.locked, 24) else { return false }
        record.store(channel, 0)
        record.store(UInt32(0), 4)
        record.store(index, 8)
        record.store(atNanos, 16)
        ring.end()
        return true
    }

    /// A ticket's response is known.
    @_noLocks
    public mutating func unlocked(
        channel: UInt32,
        ticket: Region,
        response: Bytes32,
        atNanos: UInt64
    ) -> Bool {
        guard let record = ring.begin(kind: ReportKind.unlocked, 176) else { return false }
        record.store(channel, 0)
        record.copy(ticket, to: 4)
        record.store(response, 136)
        record.store(atNanos, 168)
        ring.end()
        return true
    }

    /// A held ticket is void.
    @_noLocks
    public mutating func released(
        channel: UInt32,
        index: UInt64,
        amount: UInt128,
        reason: Drop
    ) -> Bool {
        guard let record = ring.begin(kind: ReportKind.released, 32) else { return false }
        record.store(channel, 0)
        record.store(UInt32(reason.index), 4)
        record.store(index, 8)
        record.store(amount, 16)
        ring.end()
        return true
    }

    /// A packet ended here.
    @_noLocks
    public mutating func delivery(
        previousKeyID: UInt32,
        senderID: Region,
        isReply: Bool,
        ackKey: Bytes32,
        payload: Region,
        atNanos: UInt64
    ) -> Bool {
        let head = ReportWriter.deliveryHead
        guard let record = ring.begin(kind: ReportKind.delivery, head + payload.byteCount) else {
            return false
        }
        record.store(previousKeyID, 0)
        record.store(isReply ? UInt8(1) : UInt8(0), 4)
        record.copy(senderID, to: 8)
        record.store(ackKey, 32)
        record.store(atNanos, 64)
        record.copy(payload, to: head)
        ring.end()
        return true
    }

    /// A packet of our own was acknowledged.
    @_noLocks
    public mutating func acknowledged(keyID: UInt32, hint: Bytes33) -> Bool {
        guard let record = ring.begin(kind: ReportKind.acknowledged, 40) else { return false }
        record.store(keyID, 0)
        record.store(hint, 4)
        ring.end()
        return true
    }

    /// A channel's source has no table; its public key is known now.
    @_noLocks
    public mutating func signer(channel: UInt32, publicKey: Bytes64) -> Bool {
        guard let record = ring.begin(kind: ReportKind.signer, 72) else { return false }
        record.store(channel, 0)
        record.store(publicKey, 8)
        ring.end()
        return true
    }

    /// A neighbour that acknowledges has no table.
    @_noLocks
    public mutating func verifier(keyID: UInt32) -> Bool {
        guard let record = ring.begin(kind: ReportKind.verifier, 8) else { return false }
        record.store(keyID, 0)
        ring.end()
        return true
    }
}

/// Control's end of a report ring.
public struct ReportReader: Sendable {
    private var ring: RingReader

    /// Reads from the ring in `region`.
    public init(_ region: Region) { ring = RingReader(region) }

    /// The oldest report; nil if there is none.
    public mutating func next() -> Report? {
        while let view = peek() {
            let report = view.report
            release()
            if let report { return report }
        }
        return nil
    }

    /// The oldest report where it lies, until `release`; nil if there is none.
    public mutating func peek() -> ReportView? {
        guard let record = ring.next() else { return nil }
        return ReportView(kind: ring.kind, record: record)
    }

    /// Gives the peeked report's memory back.
    public mutating func release() { ring.release() }
}

/// A report where it lies in the ring. Which fields mean something depends on the kind.
public struct ReportView: Sendable {
    /// 1 locked, 2 unlocked, 3 released, 4 delivery, 5 acknowledged, 6 signer, 7 verifier.
    public let kind: UInt32
    private let record: Region

    init(kind: UInt32, record: Region) {
        self.kind = kind
        self.record = record
    }

    /// Channel of a ticket or a signer.
    public var channel: UInt32 { record.load(0) }
    /// Neighbour of a delivery, of an acknowledged packet, or without a table.
    public var keyID: UInt32 { record.load(0) }
    /// Index of a locked or released ticket.
    public var index: UInt64 { record.load(8) }
    /// Amount of a released ticket.
    public var amount: UInt128 { record.load(16) }
    /// Reason of a release.
    public var reason: Drop {
        let number: UInt32 = record.load(4)
        return Drop(index: UInt8(truncatingIfNeeded: number))
    }
    /// An unlocked ticket.
    public var ticket: Region { record.slice(4, ReportWriter.ticketBytes) }
    /// What opens it.
    public var response: Bytes32 { record.load(136) }
    /// Sender id of a delivery.
    public var senderID: FixedBytes<18> { record.load(8) }
    /// A delivery is a reply.
    public var isReply: Bool { record.byte(4) == 1 }
    /// What acknowledges a delivery.
    public var ackKey: Bytes32 { record.load(32) }
    /// A delivery's payload block.
    public var payload: Region {
        let head = ReportWriter.deliveryHead
        return record.slice(head, record.byteCount - head)
    }
    /// What was acknowledged.
    public var hint: Bytes33 { record.load(4) }
    /// A signer's public key, x ‖ y.
    public var publicKey: Bytes64 { record.load(8) }
    /// When it happened.
    public var atNanos: UInt64 {
        switch kind {
        case ReportKind.locked: record.load(16)
        case ReportKind.unlocked: record.load(168)
        case ReportKind.delivery: record.load(64)
        default: 0
        }
    }

    /// As a value of its own.
    var report: Report? {
        switch kind {
        case ReportKind.locked: .locked(channel: channel, index: index, atNanos: atNanos)
        case ReportKind.unlocked:
            .unlocked(
                channel: channel,
                ticket: ticket.array,
                response: response,
                atNanos: atNanos
            )
        case ReportKind.released:
            .released(channel: channel, index: index, amount: amount, reason: reason)
        case ReportKind.delivery:
            .delivery(
                Delivery(
                    previousKeyID: keyID,
                    senderID: senderID,
                    isReply: isReply,
                    ackKey: ackKey,
                    payload: payload.array,
                    atNanos: atNanos
                )
            )
        case ReportKind.acknowledged: .acknowledged(keyID: keyID, hint: hint)
        case ReportKind.signer: .signer(channel: channel, publicKey: publicKey)
        case ReportKind.verifier: .verifier(keyID: keyID)
        default: nil
        }
    }
}
