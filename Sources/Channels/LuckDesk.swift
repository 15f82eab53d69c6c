internal import Bytes
internal import Crypto
internal import Exchange
internal import Tickets

/// Draws the luck of tickets whose turn will come next, many at once, and keeps it until then.
///
/// Luck by VRF depends on the ticket alone. Luck by commitments depends on the opening, which the
/// next winner uses up: what was drawn ahead is forgotten then, and little is drawn ahead while
/// tickets win.
final class LuckDesk {
    /// A ticket that waits for its draw.
    struct Entry {
        let index: UInt64
        let hash: Bytes32
        let response: Bytes32
        let signature: Bytes64
    }

    private let memory: Memory
    private let lanes: LuckLanes
    private var drawn: [UInt64: UInt64] = [:]
    private var ahead = 4

    init() {
        var measure = Arena()
        _ = LuckLanes(&measure)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        lanes = LuckLanes(&arena)
    }

    /// The luck of an index, if it was drawn.
    func luck(_ index: UInt64) -> UInt64? { drawn[index] }

    /// Tickets that may be drawn together now.
    func most(_ rule: LuckRule) -> Int {
        switch rule {
        case .vrf: Batch.capacity
        case .commitment: ahead
        }
    }

    /// Another channel, or another domain.
    func forget() { drawn.removeAll(keepingCapacity: true) }

    /// The opening has been used up.
    func forgetOpening() {
        ahead = 4
        forget()
    }

    /// Draws under the commitment rule, at most 64.
    func draw(_ entries: [Entry], opening: Bytes32) {
        put(entries)
        for lane in entries.indices { lanes.opening[lane] = opening }
        lanes.drawCommitment(lanes: .first(entries.count))
        // An opening is a secret until a winner shows it.
        zeroize(lanes.opening.region)
        take(entries)
        ahead = min(2 * ahead, Batch.capacity)
    }

    /// Draws under the VRF rule, at most 64.
    func draw(_ entries: [Entry], key: ChainKey, domain: Bytes32) {
        put(entries)
        var domain = domain
        domain.withRegion { domain in
            key.withSecretScalar {
                lanes.drawVRF(
                    redeemer: key.address,
                    key: $0,
                    domain: domain,
                    lanes: .first(entries.count)
                )
            }
        }
        take(entries)
    }

    private func put(_ entries: [Entry]) {
        precondition(entries.count <= Batch.capacity)
        for (lane, entry) in entries.enumerated() {
            lanes.hash[lane] = entry.hash
            lanes.response[lane] = entry.response
            lanes.signature[lane] = entry.signature
        }
    }

    private func take(_ entries: [Entry]) {
        for (lane, entry) in entries.enumerated() { drawn[entry.index] = lanes.luck[lane] }
    }
}
