public import Bytes
internal import Crypto

/// Draws luck for up to 64 tickets at once: `Luck` and `VRF.value`, one lane a ticket.
///
/// Off the packet path: what is drawn is stored already. The proof that a redemption needs is made
/// for winners alone, by `VRF.prove`.
@safe
public struct LuckLanes: @unchecked Sendable {
    /// Ticket hashes; the caller's to fill, as the next three are.
    public let hash: Column<Bytes32>
    /// Responses.
    public let response: Column<Bytes32>
    /// Signatures of the tickets.
    public let signature: Column<Bytes64>
    /// Openings, for the commitment rule.
    public let opening: Column<Bytes32>
    /// V, x ‖ y, as `drawVRF` leaves it.
    public let value: Column<Bytes64>
    /// What was drawn: 56 bits.
    public let luck: Column<UInt64>

    private let preimage: Column<FixedBytes<192>>
    private let digest: Column<Bytes32>
    private let base: Column<Bytes64>

    /// Takes columns from an arena.
    public init(_ arena: inout Arena) {
        hash = arena.column(Bytes32.self, Batch.capacity)
        response = arena.column(Bytes32.self, Batch.capacity)
        signature = arena.column(Bytes64.self, Batch.capacity)
        opening = arena.column(Bytes32.self, Batch.capacity)
        value = arena.column(Bytes64.self, Batch.capacity)
        luck = arena.column(UInt64.self, Batch.capacity)
        preimage = arena.column(FixedBytes<192>.self, Batch.capacity)
        digest = arena.column(Bytes32.self, Batch.capacity)
        base = arena.column(Bytes64.self, Batch.capacity)
    }

    /// Under the commitment rule.
    @_noLocks
    public func drawCommitment(lanes: LaneMask) { draw(opening.region, of: 32, lanes) }

    /// Under the VRF rule: V of each ticket, then luck. Constant time in the key.
    ///
    /// - Parameter domain: of the tickets' channels, 32 bytes.
    @_noLocks
    public func drawVRF(redeemer: Address, key: Region, domain: Region, lanes: LaneMask) {
        var left = lanes
        while let lane = left.popFirst() {
            let bytes = preimage.region(lane)
            bytes.store(redeemer, 0)
            bytes.store(hash[lane], 20)
        }
        Kernels.hashToCurve(
            Lanes(preimage),
            count: 52,
            domain: domain,
            out: Lanes(base),
            live: lanes
        )
        let multiplied = Kernels.secpMul(
            Lanes(base),
            scalar: Lanes(key),
            out: Lanes(value),
            live: lanes
        )
        precondition(multiplied == lanes, "a chain key is a scalar, a hash is a point")
        draw(value.region, of: 64, lanes)
    }

    /// Luck by deciders of `count` bytes.
    @_noLocks
    private func draw(_ deciders: Region, of count: Int, _ lanes: LaneMask) {
        var left = lanes
        while let lane = left.popFirst() {
            Luck.write(
                hash[lane],
                deciders.slice(lane * count, count),
                response[lane],
                signature[lane],
                to: preimage.region(lane)
            )
        }
        Kernels.keccak256(Lanes(preimage), count: 128 + count, out: Lanes(digest), live: lanes)
        left = lanes
        while let lane = left.popFirst() {
            luck[lane] = digest.region(lane).bigEndian(0, count: 7)
        }
        // An opening was in it perhaps.
        zeroize(preimage.region)
    }
}
