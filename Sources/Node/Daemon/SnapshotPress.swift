internal import Bytes
internal import Channels
internal import Crypto
internal import Datapath
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
        var tables: TableDesk
        var identities: [PacketIdentity] = []
        var cell: SnapshotCell?
    }

    private let keys: KeyRing
    private let policy: Policy
    private let hash: KeyedHash
    private let domain: Bytes32
    private let state: Mutex<State>

    init(
        keys: KeyRing,
        policy: Policy,
        domain: Bytes32,
        tables: Configuration.Tables
    ) throws(StartError) {
        self.keys = keys
        self.policy = policy
        self.domain = domain
        hash = KeyedHash(UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        do throws(DatapathError) {
            state = Mutex(State(tables: try TableDesk(tables, hash: hash)))
        } catch {
            throw .failed("tables: \(error)")
        }
    }

    /// What control knew last.
    var world: World { state.withLock { $0.world } }

    /// Register or channels have changed. On the control thread.
    func update(_ world: World) {
        state.withLock { state in
            state.world = world
            state.tables.follow(world)
            guard let cell = state.cell else { return }
            // The previous key may leave at any time; the current one changes by `adopt`.
            let known = Set(keys.identities(world.own).map(\.keyID))
            let current = state.identities.first?.keyID
            state.identities.removeAll { $0.keyID != current && !known.contains($0.keyID) }
            publish(state, to: cell)
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

    /// Serves these keys, in a cell with workers that do already.
    func resume(_ identities: [PacketIdentity], in cell: SnapshotCell) {
        state.withLock { $0.identities = identities }
        publish(to: cell)
    }

    /// Publishes there from now on.
    func publish(to cell: SnapshotCell) {
        state.withLock { state in
            state.cell = cell
            state.tables.restart()
            publish(state, to: cell)
        }
    }

    private func publish(_ state: borrowing State, to cell: SnapshotCell) {
        state.tables.stamp(generation: cell.publish(press(state)))
    }

    // MARK: tables of keys

    /// A worker has recovered the issuer of a channel's ticket.
    func learn(signer: Bytes64, channel: UInt32) {
        state.withLock { $0.tables.learn(signer, of: $0.world.channels[channel]) }
    }

    /// A worker has no table for a neighbour.
    func learn(verifier keyID: UInt32) {
        state.withLock { state in
            state.tables.learn(state.world.nodes.first { $0.keyID == keyID })
        }
    }

    /// Builds some of the tables that are wanted. One thread, not too often: each time with
    /// something to do makes a snapshot.
    func buildTables() {
        let work = state.withLock { state in
            state.cell.map { state.tables.jobs(oldestInUse: $0.oldestInUse) }
        }
        guard let work, !work.jobs.isEmpty || work.hasEvicted else { return }
        let built = work.jobs.map { $0.build() }
        state.withLock { state in
            state.tables.finish(work.jobs, built)
            if let cell = state.cell { publish(state, to: cell) }
        }
    }

    /// The tables there are: of issuers, and of neighbours.
    var tables: (signers: TableCache, verifiers: TableCache) {
        state.withLock { ($0.tables.signers, $0.tables.verifiers) }
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
        state.tables.name(&builder)
        return builder.build()
    }
}
