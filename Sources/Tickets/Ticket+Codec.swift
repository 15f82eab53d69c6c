public import Bytes

// counterparty 20 ‖ amount 12 ‖ index 6 ‖ channel epoch 3 ‖ win probability 7 ‖ challenge 20 ‖
// signature 64
extension Ticket {
    /// Reads 132 bytes; `amountRange` if the amount is 10^25 or more, else `none`.
    @_noLocks
    public static func parse(_ bytes: Region, into ticket: inout Ticket) -> Drop {
        assert(bytes.byteCount == byteCount)
        ticket.counterparty = bytes.load(0)
        ticket.amount =
            UInt128(bytes.bigEndian(20, count: 4)) << 64 | UInt128(bytes.bigEndian(24, count: 8))
        ticket.index = bytes.bigEndian(32, count: 6)
        ticket.channelEpoch = UInt32(truncatingIfNeeded: bytes.bigEndian(38, count: 3))
        ticket.winProbability = WinProbability(rawValue: bytes.bigEndian(41, count: 7))
        ticket.challenge = bytes.load(48)
        ticket.signature = bytes.load(signatureOffset)
        return ticket.amount < amountLimit ? .none : .amountRange
    }

    /// Writes 132 bytes.
    @_noLocks
    public func write(to bytes: Region) {
        assert(bytes.byteCount == Ticket.byteCount)
        bytes.store(counterparty, 0)
        writeClaim(to: bytes.slice(Ticket.claimOffset, Ticket.claimBytes))
    }

    /// Bytes before the claim.
    public static var claimOffset: Int { @_noLocks get { 20 } }
    /// Bytes of the claim.
    public static var claimBytes: Int { @_noLocks get { 112 } }

    /// Writes the claim: what follows the counterparty, which is the same in all tickets of a node.
    @_noLocks
    public func writeClaim(to bytes: Region) {
        assert(bytes.byteCount == Ticket.claimBytes)
        writeValues(to: bytes.slice(0, 28))
        bytes.store(challenge, 28)
        bytes.store(signature, 48)
    }

    /// amount ‖ index ‖ channel epoch ‖ win probability: 28 bytes, the same in the ticket and under
    /// its hash.
    @_noLocks
    func writeValues(to bytes: Region) {
        assert(amount < Ticket.amountLimit && index < Ticket.indexLimit)
        assert(channelEpoch < Ticket.channelEpochLimit)
        // Four words: the epoch's 24 bits end one and begin the next.
        let epoch = UInt64(channelEpoch)
        bytes.store(UInt32(truncatingIfNeeded: amount >> 64).bigEndian, 0)
        bytes.store(UInt64(truncatingIfNeeded: amount).bigEndian, 4)
        bytes.store((index << 16 | epoch >> 8).bigEndian, 12)
        bytes.store((epoch << 56 | winProbability.rawValue).bigEndian, 20)
    }
}

// Control plane.
extension Ticket {
    /// Reads 132 bytes; nil for another count or an amount out of range.
    public init?(_ bytes: [UInt8]) {
        guard var copy = FixedBytes<132>(bytes) else { return nil }
        self.init()
        let drop = copy.withRegion { Ticket.parse($0, into: &self) }
        guard drop == .none else { return nil }
    }

    /// The ticket's 132 bytes.
    public var bytes: FixedBytes<132> {
        var result = FixedBytes<132>()
        result.withRegion { write(to: $0) }
        return result
    }
}
