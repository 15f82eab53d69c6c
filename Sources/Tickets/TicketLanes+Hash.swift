public import Bytes
internal import Crypto

extension TicketLanes {
    /// Hashes tickets as they are signed.
    ///
    ///     inner = Keccak(channel id 32 ‖ values 28 ‖ challenge 20)
    ///     call  = Keccak(selector 4 ‖ 28 zeros ‖ inner)
    ///     hash  = Keccak(19 01 ‖ domain 32 ‖ call)
    @_noLocks
    public func hash(
        _ tickets: Column<Ticket>,
        channelIDs: Column<Bytes32>,
        domains: Column<Bytes32>,
        lanes: LaneMask,
        into hashes: Column<Bytes32>
    ) {
        var left = lanes
        while let lane = left.popFirst() {
            let bytes = preimage.region(lane)
            bytes.store(channelIDs[lane], 0)
            let ticket = tickets[lane]
            ticket.writeValues(to: bytes.slice(32, 28))
            bytes.store(ticket.challenge, 60)
        }
        keccak(80, lanes: lanes)

        left = lanes
        while let lane = left.popFirst() {
            let bytes = preimage.region(lane)
            bytes.slice(4, 28).fill(0)
            bytes.storeBigEndian(UInt64(selector), 0, count: 4)
            bytes.store(digest[lane], 32)
        }
        keccak(64, lanes: lanes)

        left = lanes
        while let lane = left.popFirst() {
            let bytes = preimage.region(lane)
            bytes.storeBigEndian(0x1901, 0, count: 2)
            bytes.store(domains[lane], 2)
            bytes.store(digest[lane], 34)
        }
        keccak(66, lanes: lanes)

        left = lanes
        while let lane = left.popFirst() { hashes[lane] = digest[lane] }
    }

    /// Digests of the first `count` bytes of `preimage`.
    @_noLocks
    func keccak(_ count: Int, lanes: LaneMask) {
        Kernels.keccak256(Lanes(preimage), count: count, out: Lanes(digest), live: lanes)
    }

    /// Addresses of the points in `affine`: bytes 12..<32 of `digest` afterwards.
    @_noLocks
    func hashPoints(lanes: LaneMask) {
        Kernels.keccak256(Lanes(affine), count: 64, out: Lanes(digest), live: lanes)
    }

    /// The address that `hashPoints` left in a lane.
    @_noLocks
    func address(_ lane: Int) -> Address { digest.region(lane).load(12) }
}
