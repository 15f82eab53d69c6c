internal import Bytes
internal import Channels
internal import Crypto
internal import Exchange
internal import Gateway
internal import Sphinx
internal import Synchronization
internal import Tickets

/// Puts tickets on packets of our own and hands them to a worker.
///
/// The gateway's thread posts; the control thread tells it of new worlds.
final class Postbox: Sendable {
    /// Why a packet was not sent.
    enum Fault: Error {
        case noChannel
        case noFunds
        case ringFull
        case selfCheck
        case unknownNode
    }

    /// Has a worker's commands written; false if there is no room.
    typealias Command = @Sendable (_ worker: Int, _ write: (inout CommandWriter) -> Bool) -> Bool

    private struct State {
        var world: World
        var next: UInt32 = 0
    }

    private let geometry: Geometry
    private let identity: ChannelIdentity
    private let books: ChannelBooks
    private let price: UInt128
    private let winProbability: WinProbability
    private let nonces: NonceRule
    private let checksTickets: Bool
    private let command: Command
    private let state: Mutex<State>

    init(
        geometry: Geometry,
        identity: ChannelIdentity,
        books: ChannelBooks,
        price: UInt128,
        winProbability: WinProbability,
        nonces: NonceRule,
        checksTickets: Bool,
        world: World,
        command: @escaping Command
    ) {
        self.geometry = geometry
        self.identity = identity
        self.books = books
        self.price = price
        self.winProbability = winProbability
        self.nonces = nonces
        self.checksTickets = checksTickets
        self.command = command
        state = Mutex(State(world: world))
    }

    /// Register or channels have changed.
    func update(_ world: World) { state.withLock { $0.world = world } }

    /// Issues the packet's ticket and sends it.
    func post(_ made: PacketFactory.Made) throws(Fault) {
        try state.withLock { (state) throws(Fault) in
            guard let node = state.world.nodes.first(where: { $0.keyID == made.nextKeyID }) else {
                throw .unknownNode
            }
            let ticket =
                made.nodeCount > 1
                ? try self.ticket(made, to: node, state.world)
                : try zeroHop(made, to: node)
            var packet = made.packet
            packet.withRegion { packet in
                ticket.write(to: packet.slice(geometry.ticketOffset, Geometry.ticketBytes))
            }
            state.next &+= 1
            let sent = command(Int(state.next)) { writer in
                writer.send(
                    nextKeyID: made.nextKeyID,
                    packet: packet,
                    ackChallenge: made.ackChallenge,
                    mix: true
                )
            }
            if !sent { throw .ringFull }
        }
    }

    /// Acknowledges a reply that was opened.
    func acknowledge(_ delivery: Delivery) {
        _ = command(0) { writer in
            writer.acknowledge(keyID: delivery.previousKeyID, ackKey: delivery.ackKey)
        }
    }

    private func zeroHop(_ made: PacketFactory.Made, to node: NodeRow) throws(Fault) -> Ticket {
        var ticket = Ticket.zeroHop(to: node.chainAddress, challenge: made.ticketChallenge)
        let channelID = TicketDomain.channelID(
            source: identity.key.address,
            destination: node.chainAddress
        )
        try sign(&ticket, channelID: channelID, domain: identity.domain)
        return ticket
    }

    private func ticket(
        _ made: PacketFactory.Made,
        to node: NodeRow,
        _ world: World
    ) throws(Fault) -> Ticket {
        let found = world.channels.first { _, row in
            row.directionValue == ChannelDirection.outgoing.rawValue && row.open
                && row.peer == node.chainAddress
        }
        guard let (slot, row) = found else { throw .noChannel }
        guard
            let amount = Ticket.amount(
                price: price,
                relays: made.nodeCount - 1,
                winProbability: winProbability
            ),
            amount <= row.balance, let index = books.takeIndex(slot)
        else { throw .noFunds }
        var ticket = Ticket(
            counterparty: node.chainAddress,
            amount: amount,
            index: index,
            channelEpoch: row.channelEpoch,
            winProbability: winProbability,
            challenge: made.ticketChallenge
        )
        try sign(&ticket, channelID: row.channelID, domain: row.domain)
        return ticket
    }

    private func sign(
        _ ticket: inout Ticket,
        channelID: Bytes32,
        domain: Bytes32
    ) throws(Fault) {
        let selector = geometry.ticketSelector
        let hash = ticket.hash(channelID: channelID, domain: domain, selector: selector)
        ticket.signature = identity.key.sign(hash: hash, nonces: nonces)
        guard !checksTickets || identity.key.hasSigned(hash: hash, signature: ticket.signature)
        else { throw .selfCheck }
    }
}

/// The way out, whichever postbox is behind it: it changes with the workers.
final class Outlet: Sendable {
    private let postbox = Mutex<Postbox?>(nil)

    /// Uses another postbox from now on.
    func connect(_ new: Postbox) { postbox.withLock { $0 = new } }

    /// Register or channels have changed.
    func update(_ world: World) { postbox.withLock { $0 }?.update(world) }

    /// Issues the packet's ticket and sends it.
    func post(_ made: PacketFactory.Made) throws(Postbox.Fault) {
        guard let postbox = postbox.withLock({ $0 }) else { throw .unknownNode }
        try postbox.post(made)
    }

    /// Acknowledges a reply that was opened.
    func acknowledge(_ delivery: Delivery) { postbox.withLock { $0 }?.acknowledge(delivery) }
}
