public import Bytes
public import Crypto

/// What a sender tells the path about payment: 53 bytes for each relay (the next ticket's challenge
/// 20 ‖ hint 33), and 54 for itself (path length 1 ‖ acknowledgement challenge 33 ‖ first ticket's
/// challenge 20).
public struct ProofPlan: BitwiseCopyable, Sendable {
    /// `values`, then string k for relay k; only `count - 1` strings are meant.
    public var values = FixedBytes<54>()
    /// One for each relay, first relay first.
    public var strings = [3 of FixedBytes<53>](repeating: FixedBytes<53>())

    /// Zeros.
    @_noLocks
    public init() {}

    /// The challenge for the ticket to the first node.
    public var firstChallenge: Address {
        @_noLocks get { ProofOfRelay.firstChallenge(values) }
    }
}

/// Half-keys and challenges: a relay earns when the next hop's half-key completes its own.
public enum ProofOfRelay {
    /// Path length of proof values.
    @_noLocks
    public static func pathLength(_ values: FixedBytes<54>) -> Int { Int(values[0]) }

    /// The first ticket's challenge of proof values.
    @_noLocks
    public static func firstChallenge(_ values: FixedBytes<54>) -> Address {
        var challenge = Address()
        for index in 0..<20 { challenge[index] = values[34 + index] }
        return challenge
    }

    /// The point in proof values that the first node's acknowledgement will open.
    @_noLocks
    public static func acknowledgementChallenge(_ values: FixedBytes<54>) -> Bytes33 {
        var challenge = Bytes33()
        for index in 0..<33 { challenge[index] = values[1 + index] }
        return challenge
    }

    /// Makes the plan for a path of `count` nodes, 1...4, from their half-keys.
    ///
    /// `lastChallenge` is random: nobody is paid for the last hop. False if a half-key is no
    /// scalar.
    @_noLocks
    public static func plan(
        ownHalfKeys: borrowing [4 of Bytes32],
        ackHalfKeys: borrowing [4 of Bytes32],
        count: Int,
        lastChallenge: Address,
        curve: Secp256k1,
        into plan: inout ProofPlan
    ) -> Bool {
        assert(count >= 1 && count <= 4)
        // Challenge of the ticket to node i, and the point that node i acknowledges with.
        var challenge = lastChallenge
        var hint = Bytes33()
        guard multiplyBase(ackHalfKeys[0], curve, into: &hint) else { return false }
        if count > 1 {
            guard opened(ownHalfKeys[0], ackHalfKeys[1], curve, into: &challenge) else {
                return false
            }
        }
        plan.values[0] = UInt8(count)
        for index in 0..<33 { plan.values[1 + index] = hint[index] }
        for index in 0..<20 { plan.values[34 + index] = challenge[index] }

        for node in 1..<4 where node < count {
            challenge = lastChallenge
            if node < count - 1 {
                guard opened(ownHalfKeys[node], ackHalfKeys[node + 1], curve, into: &challenge)
                else { return false }
            }
            guard multiplyBase(ackHalfKeys[node], curve, into: &hint) else { return false }
            for index in 0..<20 { plan.strings[node - 1][index] = challenge[index] }
            for index in 0..<33 { plan.strings[node - 1][20 + index] = hint[index] }
        }
        return true
    }

    /// True if `response · G` has the address `challenge`: the ticket can be redeemed.
    @_noLocks
    public static func opens(_ response: Region, challenge: Address, curve: Secp256k1) -> Bool {
        var address = Address()
        return challengeAddress(response, curve, into: &address) && address == challenge
    }

    @_noLocks
    private static func multiplyBase(
        _ scalar: Bytes32,
        _ curve: Secp256k1,
        into compressed: inout Bytes33
    ) -> Bool {
        var scalar = scalar
        var point = CurvePoint()
        let made = scalar.withRegion { curve.multiplyBase($0, into: &point) }
        return made && compressed.withRegion { curve.write(point, compressed: $0) }
    }

    // The address of (own + ack) · G.
    @_noLocks
    private static func opened(
        _ own: Bytes32,
        _ ack: Bytes32,
        _ curve: Secp256k1,
        into address: inout Address
    ) -> Bool {
        var (sum, term) = (own, ack)
        let added = sum.withRegion { sum in
            term.withRegion { curve.addScalar($0, to: sum) }
        }
        return added && sum.withRegion { challengeAddress($0, curve, into: &address) }
    }

    @_noLocks
    private static func challengeAddress(
        _ scalar: Region,
        _ curve: Secp256k1,
        into address: inout Address
    ) -> Bool {
        var point = CurvePoint()
        guard curve.multiplyBase(scalar, into: &point) else { return false }
        return curve.address(of: point, into: &address)
    }
}

/// What `TicketLanes.checkChallenges` found.
public struct ProofCheck: BitwiseCopyable, Sendable {
    /// Lanes whose ticket can be redeemed once the hint is opened.
    public var passed: LaneMask = 0
    /// Lanes whose hint is no point (`hintInvalid`); the others left out are `challengeMismatch`.
    public var hintInvalid: LaneMask = 0

    /// No lanes.
    @_noLocks
    public init() {}
}

extension TicketLanes {
    /// Checks `address(own · G + hint) == ticket.challenge`. Constant time in the half-keys.
    @_noLocks
    public func checkChallenges(
        _ tickets: Column<Ticket>,
        ownHalfKeys: Column<Bytes32>,
        proofs: Column<FixedBytes<53>>,
        lanes: LaneMask
    ) -> ProofCheck {
        var check = ProofCheck()
        let outcome = Kernels.secpMulBaseAdd(
            Lanes(ownHalfKeys),
            point: Lanes(proofs, offset: 20),
            out: Lanes(affine),
            live: lanes
        )
        check.hintInvalid = lanes & ~outcome.points
        hashPoints(lanes: outcome.sums)
        var left = outcome.sums
        while let lane = left.popFirst() {
            if address(lane) == tickets[lane].challenge { check.passed |= 1 << LaneMask(lane) }
        }
        return check
    }
}
