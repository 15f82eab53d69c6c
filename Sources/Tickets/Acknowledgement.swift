public import Bytes
internal import Crypto

/// Proof that a node got a packet: its half-key 32 ‖ Ed25519 signature of that by its packet key
/// 64.
public typealias Acknowledgement = FixedBytes<96>

/// The text of acknowledgement packets: `count u16 ‖ count · 96`; what follows is ignored.
public enum Acknowledgements {
    /// Bytes of one.
    @inlinable public static var byteCount: Int { @_noLocks get { 96 } }

    /// The acknowledgements in a text; nil (`ackSize`) if their count does not fit it.
    @_noLocks
    public static func parse(_ text: Region) -> Column<Acknowledgement>? {
        guard text.byteCount >= 2 else { return nil }
        let count = Int(text.bigEndian(0, count: 2))
        guard 2 + count * byteCount <= text.byteCount else { return nil }
        return text.column(2, count: count)
    }

    /// Where to put `count` acknowledgements in a text; writes the count.
    @_noLocks
    public static func begin(_ text: Region, count: Int) -> Column<Acknowledgement> {
        assert(2 + count * byteCount <= text.byteCount && count < 1 << 16)
        text.storeBigEndian(UInt64(count), 0, count: 2)
        return text.column(2, count: count)
    }

    /// Bytes of a text with `count` acknowledgements.
    @inlinable
    @_noLocks
    public static func textBytes(count: Int) -> Int { 2 + count * byteCount }

    /// Makes one from a half-key, with a packet key's signing key.
    @_noLocks
    public static func make(halfKey: Region, signingKey: Region, into acknowledgement: Region) {
        assert(acknowledgement.byteCount == byteCount)
        acknowledgement.copy(halfKey, to: 0)
        Ed25519.sign(
            acknowledgement.slice(0, 32),
            key: signingKey,
            into: acknowledgement.slice(32, 64)
        )
    }

    /// Makes one for each lane; signs them together.
    @_noLocks
    public static func make(
        halfKeys: Column<Bytes32>,
        signingKey: Region,
        lanes: LaneMask,
        into acknowledgements: Column<Acknowledgement>
    ) {
        var left = lanes
        while let lane = left.popFirst() {
            acknowledgements.region(lane).store(halfKeys[lane], 0)
        }
        Kernels.ed25519Sign(
            key: signingKey,
            Lanes(acknowledgements),
            count: 32,
            signature: Lanes(acknowledgements, offset: 32),
            live: lanes
        )
    }

    /// Which of them the lane's signer made; the others are `ackSignature`.
    ///
    /// - Parameters:
    ///   - signers: packet keys, for the lanes without a table.
    ///   - tables: a lane's is that of its signer.
    @_noLocks
    public static func verifyVariableTime(
        _ acknowledgements: Column<Acknowledgement>,
        signers: Column<Bytes32>,
        tables: borrowing LaneTables,
        lanes: LaneMask
    ) -> LaneMask {
        var good: LaneMask = 0
        let known = lanes & tables.lanes
        if known != 0 {
            good = Kernels.ed25519VerifyVariableTime(
                table: Lanes(tables.slab, slots: tables.places, offset: 0),
                Lanes(acknowledgements),
                count: 32,
                signature: Lanes(acknowledgements, offset: 32),
                live: known
            )
        }
        var left = lanes & ~known
        while let lane = left.popFirst() {
            let bytes = acknowledgements.region(lane)
            guard
                Ed25519.verifyVariableTime(
                    bytes.slice(0, 32),
                    signature: bytes.slice(32, 64),
                    signer: signers.region(lane)
                )
            else { continue }
            good |= 1 << LaneMask(lane)
        }
        return good
    }
}

extension TicketLanes {
    /// The points by which the acknowledged packets are known: half-key · G.
    ///
    /// - Returns: the lanes whose half-key is in 1...n-1; the others are `ackScalar`.
    @_noLocks
    public func hints(
        of acknowledgements: Column<Acknowledgement>,
        lanes: LaneMask,
        into hints: Column<Bytes33>
    ) -> LaneMask {
        let good = Kernels.secpMulBase(Lanes(acknowledgements), out: Lanes(affine), live: lanes)
        var left = good
        while let lane = left.popFirst() {
            let (point, hint) = (affine.region(lane), hints.region(lane))
            hint.store(2 | point.byte(63) & 1, 0)
            hint.copy(point.slice(0, 32), to: 1)
        }
        return good
    }

    /// `response = own + ack mod n`, what redeems the ticket.
    ///
    /// - Returns: the lanes that have one; a sum of zero has not, and opens nothing.
    @_noLocks
    public func responses(
        ownHalfKeys: Column<Bytes32>,
        acknowledgements: Column<Acknowledgement>,
        lanes: LaneMask,
        into responses: Column<Bytes32>
    ) -> LaneMask {
        Kernels.secpAddScalars(
            Lanes(ownHalfKeys),
            Lanes(acknowledgements),
            out: Lanes(responses),
            live: lanes
        )
    }

    /// Which responses open their ticket's challenge; the others are `ackResponse`. A response
    /// found by its hint after `checkChallenges` passed always does.
    @_noLocks
    public func checkResponses(
        _ tickets: Column<Ticket>,
        responses: Column<Bytes32>,
        lanes: LaneMask
    ) -> LaneMask {
        let multiplied = Kernels.secpMulBase(
            Lanes(responses),
            out: Lanes(affine),
            live: lanes
        )
        hashPoints(lanes: multiplied)
        var good: LaneMask = 0
        var left = multiplied
        while let lane = left.popFirst() {
            if address(lane) == tickets[lane].challenge { good |= 1 << LaneMask(lane) }
        }
        return good
    }
}
