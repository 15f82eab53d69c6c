internal import Bytes
internal import Tickets

/// Where in the order of checks a lane was refused. A batch decides as single packets in lane order
/// would, so what depends on earlier packets (index, funds, replay, room) is judged again, in
/// order, when the batch is decided.
enum Step {
    static var size: UInt8 { @_noLocks get { 0 } }
    static var ticket: UInt8 { @_noLocks get { 1 } }
    static var index: UInt8 { @_noLocks get { 2 } }
    static var funds: UInt8 { @_noLocks get { 3 } }
    static var peel: UInt8 { @_noLocks get { 4 } }
    static var role: UInt8 { @_noLocks get { 5 } }
    static var replay: UInt8 { @_noLocks get { 6 } }
    static var content: UInt8 { @_noLocks get { 7 } }
    static var signature: UInt8 { @_noLocks get { 8 } }
    static var next: UInt8 { @_noLocks get { 9 } }
    static var room: UInt8 { @_noLocks get { 10 } }
    static var passed: UInt8 { @_noLocks get { 255 } }
}

/// What the stages of one batch tell each other, one entry a lane.
struct Lanes {
    let step: Column<UInt8>
    let code: Column<UInt8>
    let ticket: Column<Ticket>
    let channel: Column<UInt32>
    let channelID: Column<Bytes32>
    let domain: Column<Bytes32>
    let address: Column<Address>
    let hash: Column<Bytes32>
    let nextChannel: Column<UInt32>
    let issued: Column<Ticket>
    // What acknowledgements open; secret.
    let ownHalfKey: Column<Bytes32>
    let response: Column<Bytes32>
    // The table of unacknowledged tickets: what relayed lanes enter, and what acknowledgements look
    // for; a batch may have both.
    let entered: UnackedLanes
    let sought: UnackedLanes
    let ticketBytes: Column<FixedBytes<132>>

    init(_ arena: inout Arena) {
        let lanes = Batch.capacity
        step = arena.column(UInt8.self, lanes)
        code = arena.column(UInt8.self, lanes)
        ticket = arena.column(Ticket.self, lanes)
        channel = arena.column(UInt32.self, lanes)
        channelID = arena.column(Bytes32.self, lanes)
        domain = arena.column(Bytes32.self, lanes)
        address = arena.column(Address.self, lanes)
        hash = arena.column(Bytes32.self, lanes)
        nextChannel = arena.column(UInt32.self, lanes)
        issued = arena.column(Ticket.self, lanes)
        ownHalfKey = arena.column(Bytes32.self, lanes)
        response = arena.column(Bytes32.self, lanes)
        entered = UnackedLanes(&arena)
        sought = UnackedLanes(&arena)
        ticketBytes = arena.column(FixedBytes<132>.self, 1)
    }
}

/// What is known of the lanes of one batch, as masks.
struct Marks {
    /// Lanes that the engine was given.
    var given: LaneMask = 0
    /// The ticket is all zero: worth nothing, good for final packets only.
    var dummy: LaneMask = 0
    /// The ticket's fields fit an incoming channel: index and funds can be judged.
    var judged: LaneMask = 0
    /// Reached the peel: secrets were derived.
    var peeled: LaneMask = 0
    /// Opened by the packet key before the current one.
    var previousKey: LaneMask = 0
    /// The header is open.
    var opened: LaneMask = 0
    /// Ends here.
    var final: LaneMask = 0
    /// Carries acknowledgements.
    var acks: LaneMask = 0
    /// Made with a reply block of ours.
    var reply: LaneMask = 0
    /// The padding was changed on the way.
    var tagged: LaneMask = 0
    /// Refused, but goes on to learn whether it decodes.
    var deferred: LaneMask = 0
    /// The ticket was checked by recovering its signer.
    var recovered: LaneMask = 0
    /// Everything that undecodable packets fail has passed.
    var decodable: LaneMask = 0

    @_noLocks
    init() {}
}
