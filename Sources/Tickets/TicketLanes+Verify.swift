public import Bytes
internal import Crypto

extension TicketLanes {
    /// Which tickets were signed by their issuer: the channel's source.
    ///
    /// Lanes with a table are verified with it, the others by recovering the signer and comparing
    /// addresses. The verdict is the same: r and s are in range, s is in the lower half, and the
    /// parity bit is the one the contract needs. `hashes` come from `hash`.
    ///
    /// - Parameter tables: a lane's is that of a key with its issuer's address.
    @_noLocks
    public func verifyVariableTime(
        _ tickets: Column<Ticket>,
        hashes: Column<Bytes32>,
        issuers: Column<Address>,
        tables: borrowing LaneTables,
        lanes: LaneMask
    ) -> LaneMask {
        let known = lanes & tables.lanes
        guard known != 0 else {
            return recoverVariableTime(tickets, hashes: hashes, issuers: issuers, lanes: lanes)
        }
        var left = known
        while let lane = left.popFirst() {
            preimage.region(lane).store(tickets[lane].signature, 0)
        }
        let signed = Kernels.ecdsaVerifyVariableTime(
            table: Lanes(tables.slab, slots: tables.places, offset: 0),
            hash: Lanes(hashes),
            signature: Lanes(preimage),
            live: known
        )
        let rest = lanes & ~known
        guard rest != 0 else { return signed }
        return signed
            | recoverVariableTime(tickets, hashes: hashes, issuers: issuers, lanes: rest)
    }

    /// The same without tables: recovers the signer and compares addresses.
    @_noLocks
    public func recoverVariableTime(
        _ tickets: Column<Ticket>,
        hashes: Column<Bytes32>,
        issuers: Column<Address>,
        lanes: LaneMask
    ) -> LaneMask {
        var recovered: LaneMask = 0
        var left = lanes
        while let lane = left.popFirst() {
            var signer = CurvePoint()
            let signature = preimage.region(lane).slice(0, 64)
            signature.store(tickets[lane].signature, 0)
            guard
                curve.recoverVariableTime(
                    hash: hashes.region(lane),
                    signature: signature,
                    into: &signer
                ),
                curve.write(signer, affine: affine.region(lane))
            else { continue }
            recovered |= 1 << LaneMask(lane)
        }
        return matching(issuers, lanes: recovered)
    }

    /// The public key, x ‖ y, of a lane that the last recovery found signed.
    @_noLocks
    public func recoveredSigner(_ lane: Int) -> Bytes64 { affine[lane] }

    /// Lanes whose point in `affine` has the given address.
    @_noLocks
    func matching(_ addresses: Column<Address>, lanes: LaneMask) -> LaneMask {
        hashPoints(lanes: lanes)
        var equal: LaneMask = 0
        var left = lanes
        while let lane = left.popFirst() {
            if address(lane) == addresses[lane] { equal |= 1 << LaneMask(lane) }
        }
        return equal
    }
}
