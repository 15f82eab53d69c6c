internal import Bytes
internal import Channels
internal import Crypto
internal import Exchange
internal import Synchronization
internal import Tickets

/// Turns what control knows into snapshots for the workers.
///
/// A change of our own packet keys is not published but held until `adopt`: workers and replay sets
/// must change with it.
final class SnapshotPress: Sendable {
    private struct State {
        var world = World()
        var identities: [PacketIdentity] = []
        var cell: SnapshotCell?
    }

    private let keys: KeyRing
    private let policy: Policy
    private let hash: KeyedHash
    private let domain: Bytes32
    private let state = Mutex(State())

    init(keys: KeyRing, policy: Policy, domain: Bytes32) {
        self.keys = keys
        self.policy = policy
        self.domain = domain
        hash = KeyedHash(UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    }

    /// What control knew last.
    var world: World { state.withLock { $0.world } }

    /// Register or channels have changed. On the control thread.
    func update(_ world: World) {
        state.withLock { state in
            state.world = world
            guard let cell = state.cell else { return }
            // The previous key may leave at any time; the current one changes by `adopt`.
            let known = Set(keys.identities(world.own).map(\.keyID))
            let current = state.identities.first?.keyID
            state.identities.removeAll { $0.keyID != current && !known.contains($0.keyID) }
            cell.publish(press(state))
        }
    }

    /// True if our registered keys are others than the workers use.
    var isOutdated: Bool {
        state.withLock { state in
            let current = keys.identities(state.world.own).first
            return current != nil && current?.keyID != state.identities.first?.keyID
        }
    }

    /// Serves the newest registered keys from now on; answers them and a first snapshot, nil if no
    /// key of ours is registered. Until `publish(to:)` nothing more is published.
    func adopt() -> (snapshot: Memory, identities: [PacketIdentity])? {
        state.withLock { state in
            state.identities = keys.identities(state.world.own)
            state.cell = nil
            guard !state.identities.isEmpty else { return nil }
            return (press(state), state.identities)
        }
    }

    /// Publishes there from now on.
    func publish(to cell: SnapshotCell) {
        state.withLock { state in
            state.cell = cell
            cell.publish(press(state))
        }
    }

    private func press(_ state: borrowing State) -> Memory {
        var builder = withExtendedLifetime(keys.chainKey) {
            SnapshotBuilder(
                current: state.identities[0],
                chainAddress: keys.chainKey.address,
                chainKey: keys.chainKey.secretScalar.load(0),
                domain: domain,
                policy: policy,
                hash: hash
            )
        }
        if state.identities.count > 1 { builder.previous = state.identities[1] }
        builder.nodes = state.world.nodes
        builder.channels = state.world.channels
        return builder.build()
    }
}
