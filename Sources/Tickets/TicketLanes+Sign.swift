public import Bytes
internal import Crypto

extension TicketLanes {
    /// Which tickets were signed by their issuer: the channel's source.
    ///
    /// Recovers the signer and compares addresses, so r and s are in range, s is in the lower half,
    /// and the parity bit is the one the contract needs. `hashes` come from `hash`.
    @_noLocks
    public func verifyVariableTime(
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

    /// Signs tickets with the issuer's chain key (32 bytes); deterministic.
    ///
    /// - Returns: the lanes that were signed; all of them unless the key is no scalar.
    @_noLocks
    public func sign(
        _ tickets: Column<Ticket>,
        hashes: Column<Bytes32>,
        key: Region,
        lanes: LaneMask
    ) -> LaneMask {
        var signed: LaneMask = 0
        var left = lanes
        while let lane = left.popFirst() {
            let signature = preimage.region(lane).slice(0, 64)
            guard curve.sign(hash: hashes.region(lane), key: key, into: signature) else { continue }
            var ticket = tickets[lane]
            ticket.signature = signature.load(0)
            tickets[lane] = ticket
            signed |= 1 << LaneMask(lane)
        }
        return signed
    }

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
