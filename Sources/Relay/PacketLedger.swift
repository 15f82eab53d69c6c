public import Bytes
public import Exchange

/// What a reason puts an end to.
public enum DropKind: Sendable, Equatable {
    /// Nothing: no reason.
    case none
    /// A packet that came, before it was accepted.
    case entering
    /// A packet that was accepted or made here, before it went out.
    case leaving
    /// A ticket, a claim or an acknowledgement; its packet was counted in another way.
    case payment
    /// A message, whose packet was delivered.
    case message
    /// A link's datagram, handshake or frame: no packet yet.
    case datagram

    /// What workers mean by a reason that they count.
    public init(_ drop: Drop) {
        switch drop {
        case .none:
            self = .none
        // Refused by link, budget, queue and filter.
        case .packetSize, .sourceUnknown, .peerBudget, .queueFull, .queueAge, .duplicate,
            .slotsFull, .stopping:
            self = .entering
        // Refused for the header.
        case .alphaInvalid, .alphaNeutral, .headerMac, .headerVersion, .replay, .replayFull,
            .nextHopInvalid, .noAckRefused:
            self = .entering
        // Refused for the ticket.
        case .ticketRecipient, .channelUnknown, .channelClosed, .channelEpoch, .amountLow,
            .amountRange, .winProbLow, .indexReplay, .indexJump, .lateIndex, .channelFunds,
            .challengeMismatch, .hintInvalid, .ticketSignature, .commitmentUnknown, .nextChannel,
            .nextFunds:
            self = .entering
        // Refused for want of room, or for what is inside. A packet whose ticket fails our
        // self-check is not counted as forwarded.
        case .mixerFull, .storeFull, .deliveryFull, .paddingInvalid, .payloadTagged,
            .messageInvalid, .ackSize, .ticketSelfCheck:
            self = .entering
        case .sendFailed, .noForward, .linkDown, .linkPaced:
            self = .leaving
        case .ticketEpoch, .ackChallengeSig, .bloomCollision, .commitmentExhausted,
            .winRateAnomaly, .ackUnexpected, .ackScalar, .ackUnknown, .ackWrongPeer, .ackResponse,
            .ackSignature, .noAck, .ackUnsent, .upgradeLost:
            self = .payment
        case .linkSize, .linkType, .linkUnknown, .linkReplay, .linkTag, .linkExpired, .linkMac,
            .linkCookie, .linkRate, .linkStranger, .linkPrologue, .linkTimestamp, .linkCrossed,
            .linkFull, .linkShed, .frameLost, .frameInvalid, .frameUnknown:
            self = .datagram
        case .openerUnknown:
            self = .message
        }
    }
}

/// Where the packets of a worker, or of several, are: nothing is lost without a name.
///
/// What came and what was made here is out, used here, dropped or in flight: `came` = `went` +
/// `dropped` + `inFlight`. That is exact for numbers that were read while no worker was in a turn.
/// Each half of it holds alone: what comes until it is accepted, and what is accepted or made here
/// until it leaves.
public struct PacketLedger: Sendable, Equatable {
    /// Whole packets that links brought.
    public var received: UInt64 = 0
    /// Packets of our own.
    public var made: UInt64 = 0
    /// Acknowledgement packets made.
    public var ackPacketsMade: UInt64 = 0
    /// Packets taken from other workers.
    public var spilledIn: UInt64 = 0
    /// Packets handed to other workers.
    public var spilledOut: UInt64 = 0
    /// Packets accepted for the next hop: the middle of the way.
    public var forwarded: UInt64 = 0
    /// Packets that ended here.
    public var delivered: UInt64 = 0
    /// Acknowledgement packets that ended here.
    public var ackPacketsUsed: UInt64 = 0
    /// Packets that went out.
    public var sent: UInt64 = 0
    /// Packets dropped before they were accepted.
    public var droppedEntering: UInt64 = 0
    /// Packets dropped after that.
    public var droppedLeaving: UInt64 = 0
    /// Packets that wait for the curve arithmetic now.
    public var queued: UInt64 = 0
    /// Packets in the mixer now.
    public var held: UInt64 = 0

    /// No packets.
    public init() {}

    /// What counters say.
    ///
    /// - Parameters:
    ///   - queued: packets that wait for the curve arithmetic.
    ///   - held: packets in the mixer.
    public init(_ counters: [Counter: UInt64], _ drops: [Drop: UInt64], queued: Int, held: Int) {
        received = counters[.packetsReceived] ?? 0
        made = counters[.made] ?? 0
        ackPacketsMade = counters[.ackPacketsOut] ?? 0
        spilledIn = counters[.spilledIn] ?? 0
        spilledOut = counters[.spilledOut] ?? 0
        forwarded = counters[.forwarded] ?? 0
        delivered = counters[.delivered] ?? 0
        ackPacketsUsed = counters[.ackPacketsIn] ?? 0
        // Those that the kernel would not take are among them. Numbers read while a worker counts
        // may not fit together.
        let unsent = drops[.sendFailed] ?? 0
        sent = max(counters[.packetsOut] ?? 0, unsent) - unsent
        for (drop, count) in drops {
            switch DropKind(drop) {
            case .entering: droppedEntering += count
            case .leaving: droppedLeaving += count
            case .none, .payment, .message, .datagram: continue
            }
        }
        self.queued = UInt64(queued)
        self.held = UInt64(held)
    }

    /// What one worker's counters say.
    public init(_ counters: Counters, queued: Int, held: Int) {
        var (numbers, drops): ([Counter: UInt64], [Drop: UInt64]) = ([:], [:])
        for counter in Counter.allCases { numbers[counter] = counters.value(counter) }
        for drop in Drop.allCases { drops[drop] = counters.value(drop) }
        self.init(numbers, drops, queued: queued, held: held)
    }

    /// Several workers together.
    public static func + (left: PacketLedger, right: PacketLedger) -> PacketLedger {
        var sum = left
        for field in fields { sum[keyPath: field.path] += right[keyPath: field.path] }
        return sum
    }

    /// Packets that came or were made here.
    public var came: UInt64 { received + made + ackPacketsMade + spilledIn }
    /// Packets that are gone: out, used here, or handed to another worker.
    public var went: UInt64 { sent + delivered + ackPacketsUsed + spilledOut }
    /// Packets dropped.
    public var dropped: UInt64 { droppedEntering + droppedLeaving }
    /// Packets that are still here.
    public var inFlight: UInt64 { queued + held }

    /// Of all workers together: packets on their way from one to another.
    public var spilling: Int64 { Int64(spilledOut) - Int64(spilledIn) }

    /// Packets that came and are nowhere, before they were accepted; negative if there are more
    /// than came.
    public var missingEntering: Int64 {
        let accepted = forwarded + delivered + ackPacketsUsed
        return Int64(received + spilledIn)
            - Int64(accepted + droppedEntering + spilledOut + queued)
    }

    /// Packets that were accepted or made and are nowhere.
    public var missingLeaving: Int64 {
        Int64(forwarded + made + ackPacketsMade) - Int64(sent + droppedLeaving + held)
    }

    /// Packets that are nowhere: 0.
    public var missing: Int64 { missingEntering + missingLeaving }
    /// True if no packet is missing in either half.
    public var isBalanced: Bool { missingEntering == 0 && missingLeaving == 0 }

    private static var fields: [(name: String, path: WritableKeyPath<PacketLedger, UInt64>)] {
        [
            ("received", \.received), ("made", \.made), ("ackPacketsMade", \.ackPacketsMade),
            ("spilledIn", \.spilledIn), ("spilledOut", \.spilledOut), ("forwarded", \.forwarded),
            ("delivered", \.delivered), ("ackPacketsUsed", \.ackPacketsUsed), ("sent", \.sent),
            ("droppedEntering", \.droppedEntering), ("droppedLeaving", \.droppedLeaving),
            ("queued", \.queued), ("held", \.held),
        ]
    }
}

extension PacketLedger: CustomStringConvertible {
    /// All numbers that are not 0, and what is missing.
    public var description: String {
        let numbers = PacketLedger.fields.map { ($0.name, self[keyPath: $0.path]) }
            .filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
        let missing = "missing \(missingEntering) entering, \(missingLeaving) leaving"
        return (numbers + [missing]).joined(separator: ", ")
    }
}
