public import Bytes
public import Chain
internal import Exchange
internal import Sphinx

/// Chooses paths at random among those that are paid all along.
///
/// A path of relays r1…rh to a destination needs an open channel from the sender to r1 and from
/// each relay to the next; the last hop is not paid for.
public struct PathFinder: Sendable {
    /// Steps after which a search gives up.
    static let stepsMax = 10_000

    private let nodes: [Address: RegisteredNode]
    private let payees: [Address: [Address]]

    /// Takes the register and the channels that are open.
    public init(_ view: LedgerView) {
        var nodes: [Address: RegisteredNode] = [:]
        for node in view.nodes.values where node.retiresMillis == 0 {
            nodes[node.chainAddress] = node
        }
        self.nodes = nodes
        var payees: [Address: [Address]] = [:]
        for channel in view.channels.values where channel.status == .open && channel.balance > 0 {
            guard nodes[channel.destination] != nil else { continue }
            payees[channel.source, default: []].append(channel.destination)
        }
        self.payees = payees.mapValues { $0.sorted() }
    }

    /// The address's current packet key; nil if it is not registered.
    public func node(_ address: Address) -> RegisteredNode? { nodes[address] }

    /// Relays of a random path, in order; nil if none was found.
    public func relays(
        from source: Address,
        to destination: Address,
        hops: Int,
        using generator: inout some RandomNumberGenerator
    ) -> [Address]? {
        var steps = 0
        return extend([], from: source, source, destination, hops, &steps, &generator)
    }

    private func extend(
        _ path: [Address],
        from last: Address,
        _ source: Address,
        _ destination: Address,
        _ hops: Int,
        _ steps: inout Int,
        _ generator: inout some RandomNumberGenerator
    ) -> [Address]? {
        if path.count == hops { return path }
        for next in (payees[last] ?? []).shuffled(using: &generator) {
            steps += 1
            guard steps <= Self.stepsMax else { return nil }
            guard next != source, next != destination, !path.contains(next) else { continue }
            let longer = extend(
                path + [next],
                from: next,
                source,
                destination,
                hops,
                &steps,
                &generator
            )
            if let longer { return longer }
        }
        return nil
    }

    /// The same as key ids and packet keys, destination included.
    func path(
        from source: Address,
        to destination: Address,
        hops: Int,
        using generator: inout some RandomNumberGenerator
    ) -> PathNodes? {
        guard
            let relays = relays(
                from: source,
                to: destination,
                hops: hops,
                using: &generator
            )
        else { return nil }
        var path = PathNodes()
        for address in relays + [destination] {
            guard let node = nodes[address],
                path.append(keyID: node.keyID, publicKey: node.packetKey)
            else { return nil }
        }
        return path
    }
}
