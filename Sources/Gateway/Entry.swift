public import Bytes
public import Exchange
public import Sphinx

/// The entry's side of a tunnel, without sockets: datagrams of local clients go to one target
/// behind the exit, answers come back through SURBs that this side keeps in stock there.
///
/// Time and fresh pseudonyms are handed in. What is to be done comes back as actions, in order.
public struct Entry: Sendable {
    /// A message for the exit.
    public struct Outgoing: Equatable, Sendable {
        /// Whose name it carries.
        public let pseudonym: Pseudonym
        /// SURBs to put beside the text.
        public let surbCount: Int
        /// Plain text.
        public let text: [UInt8]
    }

    /// What the caller is to do.
    public enum Action: Equatable, Sendable {
        /// Send a message to the exit; tell `sent` about its openers.
        case send(Outgoing)
        /// Hand a datagram to a local client.
        case deliver(Endpoint, [UInt8])
        /// The exit does not serve this client's flow.
        case refused(Endpoint, Frame.Refusal)
    }

    /// What happened since the start.
    public struct Counters: Equatable, Sendable {
        /// Datagrams taken from clients.
        public var fromClients: UInt64 = 0
        /// Datagrams handed to clients.
        public var toClients: UInt64 = 0
        /// Messages sent to the exit.
        public var messages: UInt64 = 0
        /// SURBs sent to the exit.
        public var surbs: UInt64 = 0
        /// Replies that came.
        public var replies: UInt64 = 0
        /// Datagrams longer than may be.
        public var tooLong: UInt64 = 0
        /// Datagrams of clients over the limit of flows.
        public var noFlow: UInt64 = 0
        /// Replies that are no frame for an entry.
        public var garbage: UInt64 = 0
        /// Pieces that contradict others, or copies.
        public var pieces: UInt64 = 0
        /// Datagrams given up because pieces did not come, or for lack of room.
        public var incomplete: UInt64 = 0
        /// Flows that the exit refused.
        public var refused: UInt64 = 0
        /// Pseudonyms used.
        public var pseudonyms: UInt64 = 0
    }

    /// A pseudonym takes new flows for this long.
    public static let rotateNanos: UInt64 = 600_000_000_000
    /// A pseudonym is used for this long; flows that live longer continue under another, and the
    /// target sees another port.
    public static let lifeNanos: UInt64 = 3_600_000_000_000
    /// Openers, and SURBs with them, are good for this long.
    public static let openerNanos: UInt64 = 600_000_000_000
    /// Openers kept.
    public static let openersMax = 65_536

    struct Flow: Sendable {
        let client: Endpoint
        let pseudonym: Pseudonym
        var active: UInt64
        var next: UInt32 = 0
    }

    /// Target, as on the exit's list.
    public let target: String
    /// Bounds.
    public let limits: Limits
    /// What happened.
    public private(set) var counters = Counters()

    private let geometry: Geometry
    private var current: Pseudonym?
    private var sessions: [Pseudonym: Stock] = [:]
    private var flows: [UInt32: Flow] = [:]
    private var byClient: [Endpoint: UInt32] = [:]
    private var lastFlow: UInt32 = 0
    private var reassembly: Reassembly<Pseudonym>
    private var openers = Openers(capacity: Entry.openersMax, lifeNanos: Entry.openerNanos)

    /// A tunnel's entry. `target` is at most `Frame.targetBytesMax` bytes.
    public init(geometry: Geometry, target: String, limits: Limits = Limits()) {
        precondition(target.utf8.count <= Frame.targetBytesMax, "target name too long")
        self.geometry = geometry
        self.target = target
        self.limits = limits
        reassembly = Reassembly(
            datagramsMax: limits.partials,
            ownerMax: limits.partialsPerSession
        )
    }

    /// Flows and pseudonyms in use, and openers kept.
    public var sizes: (flows: Int, sessions: Int, openers: Int) {
        (flows.count, sessions.count, openers.count)
    }

    /// SURBs thought to be left at the exit, over all pseudonyms.
    public var stock: Int { sessions.values.reduce(0) { $0 + $1.estimate } }
}

// MARK: - From the clients

extension Entry {
    /// A local client sent a datagram. `fresh` is used if a new pseudonym is due.
    public mutating func datagram(
        from client: Endpoint,
        _ bytes: [UInt8],
        now: UInt64,
        fresh: Pseudonym
    ) -> [Action] {
        counters.fromClients += 1
        guard bytes.count <= Frame.datagramBytesMax else {
            counters.tooLong += 1
            return []
        }
        guard let number = flow(of: client, now: now, fresh: fresh), var flow = flows[number]
        else {
            counters.noFlow += 1
            return []
        }
        flow.active = now
        let room = geometry.messageBytesMax - Frame.forwardBytes(target: target)
        let pieces = Frame.Piece.cut(bytes, flow: number, number: flow.next, room: room)
        flow.next &+= 1
        flows[number] = flow
        sessions[flow.pseudonym]?.forwarded(now: now)
        return pieces.map { send(.forward($0, target: target), flow.pseudonym, now) }
            + refill(flow.pseudonym, now)
    }

    private mutating func flow(of client: Endpoint, now: UInt64, fresh: Pseudonym) -> UInt32? {
        if let number = byClient[client], let flow = flows[number],
            let session = sessions[flow.pseudonym]
        {
            if now < session.created &+ Entry.lifeNanos { return number }
            close(number)
        }
        guard flows.count < limits.flows else { return nil }
        let pseudonym = session(now: now, fresh: fresh)
        lastFlow &+= 1
        while flows[lastFlow] != nil { lastFlow &+= 1 }
        flows[lastFlow] = Flow(client: client, pseudonym: pseudonym, active: now)
        byClient[client] = lastFlow
        return lastFlow
    }

    private mutating func session(now: UInt64, fresh: Pseudonym) -> Pseudonym {
        if let current, let session = sessions[current],
            now < session.created &+ Entry.rotateNanos
        {
            return current
        }
        counters.pseudonyms += 1
        sessions[fresh] = Stock(
            base: Stock.base(geometry: geometry),
            most: limits.surbsPerSession / 2,
            now: now
        )
        current = fresh
        return fresh
    }

    private mutating func close(_ number: UInt32) {
        guard let flow = flows.removeValue(forKey: number) else { return }
        if byClient[flow.client] == number { byClient[flow.client] = nil }
    }

    /// One message, with as many SURBs as are wanted and fit.
    private mutating func send(_ frame: Frame, _ pseudonym: Pseudonym, _ now: UInt64) -> Action {
        let text = frame.encoded
        let wanted = sessions[pseudonym]?.wanted ?? 0
        let count = min(wanted, geometry.surbCapacity(textBytes: text.count))
        sessions[pseudonym]?.sent(surbs: count, now: now)
        counters.messages += 1
        counters.surbs += UInt64(count)
        return .send(Outgoing(pseudonym: pseudonym, surbCount: count, text: text))
    }

    /// Messages with nothing but SURBs, if the stock has run low.
    private mutating func refill(_ pseudonym: Pseudonym, _ now: UInt64) -> [Action] {
        var actions: [Action] = []
        guard sessions[pseudonym]?.isLow == true else { return [] }
        while actions.count < Stock.burst, sessions[pseudonym]?.wanted ?? 0 > 0 {
            actions.append(send(.refill, pseudonym, now))
        }
        return actions
    }
}

// MARK: - From the mixnet

extension Entry {
    /// A message was built: these open the replies to its SURBs.
    public mutating func sent(_ fresh: [ReplyOpener], now: UInt64) {
        for opener in fresh { openers.insert(opener, now: now) }
    }

    /// The opener of a reply, once.
    public mutating func opener(for senderID: SenderID, now: UInt64) -> ReplyOpener? {
        openers.take(senderID, now: now)
    }

    /// A reply was opened.
    public mutating func reply(
        to pseudonym: Pseudonym,
        signal: UInt8,
        text: [UInt8],
        now: UInt64
    ) -> [Action] {
        counters.replies += 1
        sessions[pseudonym]?.replied(signal: signal, now: now)
        guard let frame = Frame(text) else {
            counters.garbage += 1
            return []
        }
        var actions: [Action] = []
        switch frame {
        case .backward(let piece, let left):
            sessions[pseudonym]?.report(left: Int(left), now: now)
            actions = backward(piece, pseudonym, now)
        case .refused(let number, let reason, let left):
            sessions[pseudonym]?.report(left: Int(left), now: now)
            if let flow = flows[number], flow.pseudonym == pseudonym {
                counters.refused += 1
                actions = [.refused(flow.client, reason)]
            }
        case .forward, .refill: counters.garbage += 1
        }
        return actions + refill(pseudonym, now)
    }

    private mutating func backward(
        _ piece: Frame.Piece,
        _ pseudonym: Pseudonym,
        _ now: UInt64
    ) -> [Action] {
        guard let flow = flows[piece.flow], flow.pseudonym == pseudonym else {
            counters.garbage += 1
            return []
        }
        flows[piece.flow]?.active = now
        switch reassembly.add(piece, of: pseudonym, now: now) {
        case .whole(let bytes):
            counters.toClients += 1
            return [.deliver(flow.client, bytes)]
        case .waiting: break
        case .copy, .malformed: counters.pieces += 1
        case .full: counters.incomplete += 1
        }
        return []
    }
}

// MARK: - Time

extension Entry {
    /// Closes idle flows, forgets old pseudonyms and openers, and sends SURBs after a silence. Call
    /// it a few times a second.
    public mutating func tick(now: UInt64) -> [Action] {
        counters.incomplete += UInt64(reassembly.expire(now: now))
        openers.expire(now: now)
        for (number, flow) in flows where flow.active &+ limits.idleFlowNanos <= now {
            close(number)
        }
        let used = Set(flows.values.map(\.pseudonym))
        var actions: [Action] = []
        for pseudonym in sessions.keys.sorted() {
            guard var session = sessions[pseudonym] else { continue }
            if !used.contains(pseudonym), session.active &+ limits.idleSessionNanos <= now {
                sessions[pseudonym] = nil
                if current == pseudonym { current = nil }
                continue
            }
            let silent = session.isSilent(now: now)
            sessions[pseudonym] = session
            if silent { actions += refill(pseudonym, now) }
        }
        return actions
    }
}
