public import Bytes
public import Chain
internal import Exchange
internal import Store

/// What control knows of channels beside what is stored: for a program that goes on with the books
/// of another one, without a word from the settlement layer.
public struct ChannelHandover: Sendable {
    /// A channel's present slot.
    struct Place: Sendable, Equatable {
        var channelID: Bytes32
        var slot: UInt32
        /// Tickets below this index may be of an older ticket epoch; 0 for channels through which
        /// we pay.
        var staleBelow: UInt64 = 0
    }

    /// What the settlement layer was made with.
    public internal(set) var parameters: LedgerParameters
    /// Register and channels.
    var view: LedgerView
    /// No request goes out before these events were seen.
    var actAfterSequence: UInt64
    /// Channels by slot, past ones too.
    var slots: [Bytes32?]
    /// Channels that pay us.
    var incoming: [Place] = []
    /// Channels through which we pay and whose indices are reserved.
    var outgoing: [Place] = []

    /// The channel of a slot.
    public func channelID(_ slot: UInt32) -> Bytes32? {
        Int(slot) < slots.count ? slots[Int(slot)] : nil
    }

    /// A channel's slot among those that are in use.
    static func find(_ channelID: Bytes32, in places: [Place]) -> Place? {
        places.first { $0.channelID == channelID }
    }
}

// As bytes.
extension ChannelHandover {
    /// All of it as bytes.
    public var record: [UInt8] {
        var writer = RecordWriter()
        writer.counted(parameters.record)
        writer.counted(view.record)
        writer.integer(actAfterSequence)
        let used = slots.prefix { $0 != nil }
        writer.integer(UInt32(used.count))
        for channelID in used { writer.fixed(channelID ?? Bytes32()) }
        for places in [incoming, outgoing] {
            writer.integer(UInt32(places.count))
            for place in places {
                writer.fixed(place.channelID)
                writer.integer(place.slot)
                writer.integer(place.staleBelow)
            }
        }
        return writer.bytes
    }

    /// What `record` gave; nil if the bytes are something else.
    public init?(record: [UInt8]) {
        var reader = RecordReader(record)
        guard let parameters = reader.counted().flatMap({ LedgerParameters(record: $0) }),
            let view = reader.counted().flatMap({ LedgerView(record: $0) }),
            let sequence: UInt64 = reader.integer(), let count: UInt32 = reader.integer()
        else { return nil }
        var slots: [Bytes32?] = []
        for _ in 0..<count {
            guard let channelID: Bytes32 = reader.fixed() else { return nil }
            slots.append(channelID)
        }
        self.init(
            parameters: parameters,
            view: view,
            actAfterSequence: sequence,
            slots: slots
        )
        guard let incoming = ChannelHandover.places(&reader, slots),
            let outgoing = ChannelHandover.places(&reader, slots), reader.isAtEnd
        else { return nil }
        self.incoming = incoming
        self.outgoing = outgoing
    }

    private static func places(_ reader: inout RecordReader, _ slots: [Bytes32?]) -> [Place]? {
        guard let count: UInt32 = reader.integer() else { return nil }
        var places: [Place] = []
        for _ in 0..<count {
            guard let channelID: Bytes32 = reader.fixed(), let slot: UInt32 = reader.integer(),
                let staleBelow: UInt64 = reader.integer(), Int(slot) < slots.count,
                slots[Int(slot)] == channelID
            else { return nil }
            places.append(Place(channelID: channelID, slot: slot, staleBelow: staleBelow))
        }
        return places
    }
}

// In and out of the reducer.
extension ChannelControl {
    /// What another program needs to go on.
    var handover: ChannelHandover {
        var handover = ChannelHandover(
            parameters: identity.parameters,
            view: view,
            actAfterSequence: actAfterSequence,
            slots: slots.channels
        )
        handover.incoming = incoming.map {
            .init(channelID: $0, slot: $1.slot, staleBelow: $1.staleBelow)
        }
        handover.outgoing = outgoing.filter(\.value.isStarted).map {
            .init(channelID: $0, slot: $1.slot)
        }
        return handover
    }

    /// A channel that pays us whose books are in use: what they hold stays.
    mutating func resume(_ state: IncomingState, _ place: ChannelHandover.Place) {
        addIncoming(state, place.slot, isNew: false)
        incoming[state.channelID]?.staleBelow = place.staleBelow
        // What has stopped it is found again.
        effects.append(.stop(slot: place.slot, false))
    }

    /// Tickets that were lost with the tables they waited in.
    mutating func lose(_ tickets: [Bytes32: UInt64]) {
        for (id, number) in tickets {
            count(id) {
                $0.received += number
                $0.void[.upgradeLost, default: 0] += number
            }
            journal.totals[id] = totals[id]
        }
        journal.counted.removeAll()
    }
}
