public import Bytes
public import Sphinx

/// A sender's name for one exchange.
public typealias Pseudonym = FixedBytes<10>

/// The exit's side of tunnels, without sockets: datagrams for targets on the list go out, answers
/// go back through the SURBs that came along.
///
/// Time is handed in. What is to be done comes back as actions, in order.
public struct Exit: Sendable {
    /// Names a flow.
    public struct FlowID: Hashable, Sendable {
        /// Whose it is.
        public let pseudonym: Pseudonym
        /// Number chosen by the entry.
        public let number: UInt32
    }

    /// What the caller is to do.
    public enum Action: Equatable, Sendable {
        /// Send a datagram to a target, from the flow's own socket; open that first if need be.
        case datagram(FlowID, target: String, [UInt8])
        /// Close the flow's socket.
        case close(FlowID)
        /// Send a reply.
        case reply(SURBEntry, signal: Signal, text: [UInt8])
    }

    /// A SURB in stock.
    public struct SURBEntry: Equatable, Sendable {
        /// Its own sender id.
        public let senderID: SenderID
        /// Its bytes.
        public let bytes: [UInt8]

        /// A SURB and its id.
        public init(senderID: SenderID, bytes: [UInt8]) {
            self.senderID = senderID
            self.bytes = bytes
        }
    }

    /// What happened since the start.
    public struct Counters: Equatable, Sendable {
        /// Datagrams handed to targets.
        public var toTargets: UInt64 = 0
        /// Datagrams from targets.
        public var fromTargets: UInt64 = 0
        /// Replies sent.
        public var replies: UInt64 = 0
        /// Plain texts that are no frame for an exit.
        public var garbage: UInt64 = 0
        /// Pieces that contradict others, or copies.
        public var pieces: UInt64 = 0
        /// Datagrams given up because pieces did not come, or for lack of room.
        public var incomplete: UInt64 = 0
        /// Answers longer than a datagram may be.
        public var tooLong: UInt64 = 0
        /// Answers that found no SURB in time, or no room to wait.
        public var noSURB: UInt64 = 0
        /// Messages over the rate of their pseudonym.
        public var rate: UInt64 = 0
        /// Flows refused, and sessions over the limit.
        public var refused: UInt64 = 0
    }

    struct Flow: Sendable {
        let target: String
        var active: UInt64
        var next: UInt32 = 0
    }

    struct Waiting: Sendable {
        let piece: Frame.Piece
        let since: UInt64
    }

    struct Stocked: Sendable {
        let surb: SURBEntry
        let since: UInt64
    }

    struct Session: Sendable {
        var surbs: [Stocked] = []
        var waiting: [Waiting] = []
        var flows: Set<UInt32> = []
        var bucket: TokenBucket
        var active: UInt64
        var refusedAt: UInt64?
    }

    /// Targets as written on the list.
    public private(set) var targets: Set<String>
    /// Bounds.
    public let limits: Limits
    /// What happened.
    public private(set) var counters = Counters()

    private let geometry: Geometry
    private var sessions: [Pseudonym: Session] = [:]
    private var flows: [FlowID: Flow] = [:]
    private var reassembly: Reassembly<Pseudonym>
    private var surbCount = 0
    private var waitingCount = 0
    private var refusals: TokenBucket

    /// SURBs left at which replies say that the stock runs low.
    static let lowStock = 8
    /// SURBs are used no later than this: their maker forgets how to open the replies.
    static let surbNanos: UInt64 = Entry.openerNanos - 60_000_000_000
    /// A pseudonym without flows makes room for another one after this.
    static let restNanos: UInt64 = 10_000_000_000
    /// Answers wait this long for a SURB.
    static let waitNanos: UInt64 = 5_000_000_000

    /// An exit for `targets`.
    public init(geometry: Geometry, targets: Set<String>, limits: Limits = Limits()) {
        self.geometry = geometry
        self.targets = targets
        self.limits = limits
        reassembly = Reassembly(
            datagramsMax: limits.partials,
            ownerMax: limits.partialsPerSession
        )
        refusals = TokenBucket(perSecond: 64, now: 0)
    }

    /// Replaces the list; flows to targets that left it are closed.
    public mutating func reload(targets: Set<String>) -> [Action] {
        self.targets = targets
        return flows.filter { !targets.contains($0.value.target) }.map { close($0.key) }
    }

    /// Open flows.
    public var flowIDs: [FlowID] { Array(flows.keys) }

    /// Flows and pseudonyms that are open, SURBs in stock, and answers that wait for one.
    public var sizes: (flows: Int, sessions: Int, surbs: Int, waiting: Int) {
        (flows.count, sessions.count, surbCount, waitingCount)
    }
}

// MARK: - From the mixnet

extension Exit {
    /// A final packet's message came from a pseudonym: its SURBs go into stock, its frame is acted
    /// on.
    public mutating func message(
        from pseudonym: Pseudonym,
        surbs: [SURBEntry],
        text: [UInt8],
        now: UInt64
    ) -> [Action] {
        guard let frame = Frame(text) else {
            counters.garbage += 1
            return []
        }
        guard var session = sessions[pseudonym] ?? admit(now: now) else {
            counters.refused += 1
            return []
        }
        guard session.bucket.take(now: now) else {
            sessions[pseudonym] = session
            counters.rate += 1
            return []
        }
        session.active = now
        stock(surbs, &session, now)
        sessions[pseudonym] = session
        var actions = flush(pseudonym)
        switch frame {
        case .forward(let piece, let target):
            actions += forward(piece, target, pseudonym, now)
        case .refill: break
        case .backward, .refused: counters.garbage += 1
        }
        return actions
    }

    private mutating func admit(now: UInt64) -> Session? {
        if sessions.count >= limits.sessions {
            let resting = sessions.filter {
                $0.value.flows.isEmpty && $0.value.active &+ Exit.restNanos <= now
            }
            guard let oldest = resting.min(by: { $0.value.active < $1.value.active }) else {
                return nil
            }
            forget(oldest.key)
        }
        return Session(
            bucket: TokenBucket(perSecond: limits.packetsPerSecond, now: now),
            active: now
        )
    }

    /// The newest SURBs are kept: they live longest.
    private mutating func stock(
        _ fresh: [SURBEntry],
        _ session: inout Session,
        _ now: UInt64
    ) {
        for surb in fresh {
            if session.surbs.count >= limits.surbsPerSession {
                session.surbs.removeFirst()
                surbCount -= 1
            }
            guard surbCount < limits.surbs else { return }
            session.surbs.append(Stocked(surb: surb, since: now))
            surbCount += 1
        }
    }

    private mutating func forward(
        _ piece: Frame.Piece,
        _ target: String,
        _ pseudonym: Pseudonym,
        _ now: UInt64
    ) -> [Action] {
        let id = FlowID(pseudonym: pseudonym, number: piece.flow)
        guard targets.contains(target) else { return refuse(id, .target, now) }
        var actions: [Action] = []
        if let flow = flows[id], flow.target != target { actions.append(close(id)) }
        if flows[id] == nil {
            guard flows.count < limits.flows,
                sessions[pseudonym]?.flows.count ?? 0 < limits.flowsPerSession
            else { return actions + refuse(id, .flows, now) }
            flows[id] = Flow(target: target, active: now)
            sessions[pseudonym]?.flows.insert(piece.flow)
        }
        flows[id]?.active = now
        switch reassembly.add(piece, of: pseudonym, now: now) {
        case .whole(let bytes):
            counters.toTargets += 1
            actions.append(.datagram(id, target: target, bytes))
        case .waiting: break
        case .copy, .malformed: counters.pieces += 1
        case .full: counters.incomplete += 1
        }
        return actions
    }

    /// The flow's socket could not be made: the target's name was not resolved.
    public mutating func unresolved(_ id: FlowID, now: UInt64) -> [Action] {
        guard flows[id] != nil else { return [] }
        return [close(id)] + refuse(id, .unresolved, now)
    }

    private mutating func refuse(_ id: FlowID, _ reason: Frame.Refusal, _ now: UInt64) -> [Action] {
        counters.refused += 1
        // An answer a second is enough to tell a user; it costs the entry a SURB.
        let last = sessions[id.pseudonym]?.refusedAt
        if let last, now < last &+ 1_000_000_000 { return [] }
        guard refusals.take(now: now) else { return [] }
        sessions[id.pseudonym]?.refusedAt = now
        return reply(id.pseudonym) { .refused(flow: id.number, reason, stock: $0) }
    }
}

// MARK: - From the targets

extension Exit {
    /// A target answered on a flow's socket.
    public mutating func answer(_ id: FlowID, _ bytes: [UInt8], now: UInt64) -> [Action] {
        guard var flow = flows[id], var session = sessions[id.pseudonym] else { return [] }
        counters.fromTargets += 1
        guard bytes.count <= Frame.datagramBytesMax else {
            counters.tooLong += 1
            return []
        }
        flow.active = now
        let room = geometry.messageBytesMax - Frame.backwardBytes
        let pieces = Frame.Piece.cut(bytes, flow: id.number, number: flow.next, room: room)
        flow.next &+= 1
        flows[id] = flow
        guard session.waiting.count + pieces.count <= limits.waitingPerSession,
            waitingCount + pieces.count <= limits.waiting
        else {
            counters.noSURB += 1
            return []
        }
        session.active = now
        session.waiting += pieces.map { Waiting(piece: $0, since: now) }
        waitingCount += pieces.count
        sessions[id.pseudonym] = session
        return flush(id.pseudonym)
    }

    /// Sends what waits, as far as SURBs go.
    private mutating func flush(_ pseudonym: Pseudonym) -> [Action] {
        var actions: [Action] = []
        while let first = sessions[pseudonym]?.waiting.first {
            let sent = reply(pseudonym) { .backward(first.piece, stock: $0) }
            guard !sent.isEmpty else { break }
            actions += sent
            sessions[pseudonym]?.waiting.removeFirst()
            waitingCount -= 1
        }
        return actions
    }

    /// One reply, if there is a SURB. It says how many are left.
    private mutating func reply(
        _ pseudonym: Pseudonym,
        _ frame: (UInt16) -> Frame
    ) -> [Action] {
        guard let surb = sessions[pseudonym]?.surbs.first?.surb else { return [] }
        sessions[pseudonym]?.surbs.removeFirst()
        surbCount -= 1
        let left = sessions[pseudonym]?.surbs.count ?? 0
        let signal: Signal = left == 0 ? .out : left < Exit.lowStock ? .low : .none
        counters.replies += 1
        let text = frame(UInt16(clamping: left)).encoded
        return [.reply(surb, signal: signal, text: text)]
    }
}

// MARK: - Time

extension Exit {
    /// Closes idle flows, forgets idle pseudonyms, gives up what waited too long. Call it about
    /// once a second.
    public mutating func tick(now: UInt64) -> [Action] {
        counters.incomplete += UInt64(reassembly.expire(now: now))
        let idle = flows.filter { $0.value.active &+ limits.idleFlowNanos <= now }
        let actions = idle.map { close($0.key) }
        for (pseudonym, session) in sessions {
            let kept = session.waiting.filter { $0.since &+ Exit.waitNanos > now }
            let lost = session.waiting.count - kept.count
            counters.noSURB += UInt64(lost)
            waitingCount -= lost
            sessions[pseudonym]?.waiting = kept
            let fresh = session.surbs.drop { $0.since &+ Exit.surbNanos <= now }
            surbCount -= session.surbs.count - fresh.count
            sessions[pseudonym]?.surbs = Array(fresh)
            if session.flows.isEmpty, session.active &+ limits.idleSessionNanos <= now {
                forget(pseudonym)
            }
        }
        return actions
    }

    private mutating func forget(_ pseudonym: Pseudonym) {
        guard let session = sessions.removeValue(forKey: pseudonym) else { return }
        surbCount -= session.surbs.count
        waitingCount -= session.waiting.count
    }

    private mutating func close(_ id: FlowID) -> Action {
        flows[id] = nil
        sessions[id.pseudonym]?.flows.remove(id.number)
        return .close(id)
    }
}
