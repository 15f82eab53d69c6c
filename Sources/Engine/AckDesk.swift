internal import Bytes
internal import Exchange
internal import Sphinx
internal import Tickets

/// Acknowledgements between their packets and the table: checked up to 64 at a time, of however
/// many neighbours, then looked up packet by packet.
///
/// The first columns are those of one call; the next three keep what came of all acknowledgements
/// that a batch carries, and behind them have room for 64 more.
struct AckDesk {
    /// No place.
    static var none: UInt32 { @_noLocks get { .max } }

    let acks: Column<Acknowledgement>
    let hint: Column<Bytes33>
    let signer: Column<Bytes32>
    /// Row of the node that sent each.
    let node: Column<UInt32>
    // What another engine says of one that it does not know.
    let keyID: Column<UInt32>
    let turns: Column<UInt32>

    /// Where the results of a lane's packet begin; `none` if it was not checked.
    let first: Column<UInt32>
    /// What the check said: a code, 0 if it is good.
    let code: Column<UInt8>
    /// What a good one is known by.
    let hints: Column<Bytes33>

    // The look-up of one packet.
    let place: Column<UInt32>
    let ticket: Column<Ticket>

    /// Most acknowledgements taken from one packet.
    let packetMax: Int

    init(_ arena: inout Arena, geometry: Geometry) {
        let lanes = Batch.capacity
        packetMax = min(geometry.ackCapacity, lanes)
        acks = arena.column(Acknowledgement.self, lanes)
        hint = arena.column(Bytes33.self, lanes)
        signer = arena.column(Bytes32.self, lanes)
        node = arena.column(UInt32.self, lanes)
        keyID = arena.column(UInt32.self, lanes)
        turns = arena.column(UInt32.self, lanes)
        first = arena.column(UInt32.self, lanes)
        code = arena.column(UInt8.self, lanes * (packetMax + 1))
        hints = arena.column(Bytes33.self, lanes * (packetMax + 1))
        place = arena.column(UInt32.self, lanes)
        ticket = arena.column(Ticket.self, lanes)
    }

    /// Where the results begin of acknowledgements that come outside a batch.
    var spare: Int {
        @_noLocks
        get { Batch.capacity * packetMax }
    }

    /// The acknowledgements of a packet that are taken.
    @_noLocks
    func taken(_ acks: Column<Acknowledgement>) -> Column<Acknowledgement> {
        let count = min(acks.count, packetMax)
        return acks.region.column(0, count: count)
    }

    /// The hints from a place on.
    @_noLocks
    func hints(from start: Int, count: Int) -> Column<Bytes33> {
        hints.region.column(start * MemoryLayout<Bytes33>.stride, count: count)
    }
}
