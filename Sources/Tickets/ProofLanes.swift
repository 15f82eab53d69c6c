public import Bytes
internal import Crypto

/// Makes the proof-of-relay plans of many paths at once; what `ProofOfRelay.plan` makes for one.
///
/// A path of n nodes takes n points that acknowledgements open and n - 1 points that tickets ask
/// for. All of them are multiples of the base point, so those of all paths share calls of 64.
@safe
public struct ProofLanes: @unchecked Sendable {
    private static var nodesMax: Int { @_noLocks get { 4 } }

    /// Nodes of each path, 1...4; the caller's to fill, as the next three are.
    public let count: Column<Int>
    /// Own half-keys, first node first; secret.
    public let ownHalfKeys: Column<[4 of Bytes32]>
    /// Acknowledging half-keys, first node first; secret.
    public let ackHalfKeys: Column<[4 of Bytes32]>
    /// Random: nobody is paid for the last hop.
    public let lastChallenge: Column<Address>
    /// What was made.
    public let plan: Column<ProofPlan>

    // One entry for each node of each path, a path's four side by side.
    private let scalar: Column<Bytes32>
    private let point: Column<Bytes64>
    private let digest: Column<Bytes32>
    private let hint: Column<Bytes33>
    private let challenge: Column<Address>

    /// Takes columns for `lanes` paths from an arena, at most 64.
    public init(_ arena: inout Arena, lanes: Int) {
        precondition(lanes >= 1 && lanes <= Batch.capacity)
        count = arena.column(Int.self, lanes)
        ownHalfKeys = arena.column([4 of Bytes32].self, lanes)
        ackHalfKeys = arena.column([4 of Bytes32].self, lanes)
        lastChallenge = arena.column(Address.self, lanes)
        plan = arena.column(ProofPlan.self, lanes)
        let pairs = lanes * ProofLanes.nodesMax
        scalar = arena.column(Bytes32.self, pairs)
        point = arena.column(Bytes64.self, pairs)
        digest = arena.column(Bytes32.self, pairs)
        hint = arena.column(Bytes33.self, pairs)
        challenge = arena.column(Address.self, pairs)
    }

    /// Makes the plans of `lanes`, and wipes the half-keys.
    ///
    /// - Returns: the lanes that have one; the others' half-keys are no scalars.
    @_noLocks
    public func make(lanes: LaneMask) -> LaneMask {
        let good = makeHints(lanes) & makeChallenges(lanes)
        var left = good
        while let lane = left.popFirst() { write(lane) }
        zeroize(ownHalfKeys.region)
        zeroize(ackHalfKeys.region)
        zeroize(scalar.region)
        return good
    }

    /// The points that acknowledgements open.
    @_noLocks
    private func makeHints(_ lanes: LaneMask) -> LaneMask {
        var good = lanes
        for window in windows {
            let live = pairs(window, lanes, short: 0)
            if live == 0 { continue }
            let first = window * Batch.capacity * Bytes32.count
            let made = Kernels.secpMulBase(
                Lanes(rest(ackHalfKeys.region, first), stride: Bytes32.count),
                out: points(window),
                live: live
            )
            var left = made
            while let pair = left.popFirst() {
                let entry = window * Batch.capacity + pair
                hint.region(entry).store(2 | point.region(entry).byte(63) & 1, 0)
                hint.region(entry).copy(point.region(entry).slice(0, 32), to: 1)
            }
            good &= ~paths(window, live & ~made)
        }
        return good
    }

    /// The challenges of tickets to all nodes but the last of each path: own half-key and the next
    /// node's acknowledging one.
    @_noLocks
    private func makeChallenges(_ lanes: LaneMask) -> LaneMask {
        var good = lanes
        for window in windows {
            let live = pairs(window, lanes, short: 1)
            if live == 0 { continue }
            let first = window * Batch.capacity * Bytes32.count
            // A pair's acknowledging half-key is the next pair's: live pairs have a next one.
            let summed = Kernels.secpAddScalars(
                Lanes(rest(ownHalfKeys.region, first), stride: Bytes32.count),
                Lanes(rest(ackHalfKeys.region, first + Bytes32.count), stride: Bytes32.count),
                out: Lanes(rest(scalar.region, first), stride: Bytes32.count),
                live: live
            )
            let made = Kernels.secpMulBase(
                Lanes(rest(scalar.region, first), stride: Bytes32.count),
                out: points(window),
                live: summed
            )
            let digests = Lanes(rest(digest.region, first), stride: Bytes32.count)
            Kernels.keccak256(points(window), count: Bytes64.count, out: digests, live: made)
            var left = made
            while let pair = left.popFirst() {
                let entry = window * Batch.capacity + pair
                challenge[entry] = digest.region(entry).load(12)
            }
            good &= ~paths(window, live & ~made)
        }
        return good
    }

    @_noLocks
    private func write(_ lane: Int) {
        let first = lane * ProofLanes.nodesMax
        let nodes = count[lane]
        let last = first + nodes - 1
        challenge[last] = lastChallenge[lane]
        var plan = ProofPlan()
        plan.values[0] = UInt8(truncatingIfNeeded: nodes)
        for index in 0..<33 { plan.values[1 + index] = hint[first][index] }
        for index in 0..<20 { plan.values[34 + index] = challenge[first][index] }
        for node in 1..<ProofLanes.nodesMax where node < nodes {
            for index in 0..<20 { plan.strings[node - 1][index] = challenge[first + node][index] }
            for index in 0..<33 { plan.strings[node - 1][20 + index] = hint[first + node][index] }
        }
        self.plan[lane] = plan
    }

    // MARK: pairs of path and node, 64 to a window

    private var windows: Range<Int> {
        @_noLocks
        get { 0..<(point.count + Batch.capacity - 1) / Batch.capacity }
    }

    /// The pairs of a window that are nodes of `lanes`, without the last `short` of each path.
    @_noLocks
    private func pairs(_ window: Int, _ lanes: LaneMask, short: Int) -> LaneMask {
        let perWindow = Batch.capacity / ProofLanes.nodesMax
        var left = lanes >> LaneMask(window * perWindow) & .first(perWindow)
        var pairs: LaneMask = 0
        while let path = left.popFirst() {
            let nodes = count[window * perWindow + path] - short
            pairs |= LaneMask.first(nodes) << LaneMask(path * ProofLanes.nodesMax)
        }
        return pairs
    }

    /// The paths of pairs.
    @_noLocks
    private func paths(_ window: Int, _ pairs: LaneMask) -> LaneMask {
        var paths: LaneMask = 0
        var left = pairs
        while let pair = left.popFirst() {
            let entry = window * Batch.capacity + pair
            paths |= 1 << LaneMask(entry / ProofLanes.nodesMax)
        }
        return paths
    }

    @_noLocks
    private func rest(_ region: Region, _ offset: Int) -> Region {
        region.slice(offset, region.byteCount - offset)
    }

    @_noLocks
    private func points(_ window: Int) -> Lanes {
        Lanes(
            rest(point.region, window * Batch.capacity * Bytes64.count),
            stride: Bytes64.count
        )
    }
}
