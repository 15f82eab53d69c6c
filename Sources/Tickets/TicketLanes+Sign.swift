public import Bytes
public import Crypto

extension TicketLanes {
    /// Signs tickets with the issuer's chain key (32 bytes), nonces by RFC 6979.
    ///
    /// - Returns: the lanes that were signed; all of them unless the key is no scalar.
    @_noLocks
    public func sign(
        _ tickets: Column<Ticket>,
        hashes: Column<Bytes32>,
        key: Region,
        lanes: LaneMask
    ) -> LaneMask {
        sign(tickets, hashes: hashes, seeds: hashes, key: key, lanes: lanes)
    }

    /// The same with hedged nonces: their seeds are SHA-256(hash ‖ 32 random bytes).
    @_noLocks
    public func sign(
        _ tickets: Column<Ticket>,
        hashes: Column<Bytes32>,
        key: Region,
        hedgedBy random: inout RandomStream,
        lanes: LaneMask
    ) -> LaneMask {
        var left = lanes
        while let lane = left.popFirst() {
            let input = preimage.region(lane)
            input.store(hashes[lane], 0)
            random.fill(input.slice(32, 32))
        }
        Kernels.sha256(Lanes(preimage), count: 64, out: Lanes(digest), live: lanes)
        return sign(tickets, hashes: hashes, seeds: digest, key: key, lanes: lanes)
    }

    @_noLocks
    private func sign(
        _ tickets: Column<Ticket>,
        hashes: Column<Bytes32>,
        seeds: Column<Bytes32>,
        key: Region,
        lanes: LaneMask
    ) -> LaneMask {
        let signed = Kernels.ecdsaSign(
            key: key,
            hash: Lanes(hashes),
            seed: Lanes(seeds),
            signature: Lanes(preimage),
            live: lanes
        )
        var left = signed
        while let lane = left.popFirst() {
            var ticket = tickets[lane]
            ticket.signature = preimage.region(lane).load(0)
            tickets[lane] = ticket
        }
        return signed
    }
}

// What we signed, checked before it leaves: a signature that a fault has spoilt may tell the key.
extension TicketLanes {
    /// Bytes of the table of our own key.
    public static var ownTableBytes: Int { @_noLocks get { Kernels.signerBytes } }

    /// Makes the table of a chain key of ours; slow, so once for each key.
    ///
    /// - Parameters:
    ///   - address: the key's, as the register has it.
    ///   - table: `ownTableBytes`, on a 64-byte boundary.
    /// - Returns: false if the key has another address, or is no scalar.
    @_noLocks
    public func makeOwnTable(key: Region, address: Address, into table: Region) -> Bool {
        let point = affine.region(0)
        guard Kernels.secpMulBase(Lanes(key), out: Lanes(point), live: 1) != 0 else {
            return false
        }
        hashPoints(lanes: 1)
        guard self.address(0) == address else { return false }
        return Kernels.ecdsaTableVariableTime(Lanes(point), table: Lanes(table), live: 1) != 0
    }

    /// Which tickets carry a good signature of ours; the table is that of `makeOwnTable`.
    @_noLocks
    public func verifyOwnVariableTime(
        _ tickets: Column<Ticket>,
        hashes: Column<Bytes32>,
        table: Region,
        lanes: LaneMask
    ) -> LaneMask {
        var left = lanes
        while let lane = left.popFirst() {
            preimage.region(lane).store(tickets[lane].signature, 0)
        }
        return Kernels.ecdsaVerifyVariableTime(
            table: Lanes(table),
            hash: Lanes(hashes),
            signature: Lanes(preimage),
            live: lanes
        )
    }
}
