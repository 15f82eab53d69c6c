public import Bytes
internal import Crypto
public import Sphinx
public import Tickets

/// Makes whole packets: joins the path's secrets with proof of relay, for which neither the packet
/// format nor the ticket format alone suffices.
///
/// Randomness is drawn through a closure, in a fixed order, so that known draws give known packets.
public struct PacketFactory {
    /// What to build.
    public struct Request: Sendable {
        /// Whose name; nil takes what is drawn.
        public var pseudonym: Pseudonym?
        /// Nodes to the destination, 1...4.
        public var forward: PathNodes
        /// Nodes back to us, one path for each SURB.
        public var returns: [PathNodes]
        /// Says how our own stock of SURBs stands.
        public var signal: Signal
        /// Plain text.
        public var text: [UInt8]

        /// A message.
        public init(
            pseudonym: Pseudonym?,
            forward: PathNodes,
            returns: [PathNodes] = [],
            signal: Signal = .none,
            text: [UInt8]
        ) {
            self.pseudonym = pseudonym
            self.forward = forward
            self.returns = returns
            self.signal = signal
            self.text = text
        }
    }

    /// Why nothing was built.
    public enum Fault: Error, Equatable, Sendable {
        /// A path has no node or more than four.
        case path
        /// A public key on the path is no point.
        case publicKey
        /// The text and the SURBs do not fit a packet.
        case size
    }

    /// A packet that lacks only its ticket.
    public struct Made: Sendable {
        /// All bytes; the ticket's are zero.
        public var packet: [UInt8]
        /// The first node.
        public var nextKeyID: UInt32
        /// Nodes on the path: what the ticket must pay for.
        public var nodeCount: Int
        /// The ticket's challenge.
        public var ticketChallenge: Address
        /// The point that the first node's acknowledgement opens.
        public var ackChallenge: Bytes33
        /// Open the replies to the SURBs inside.
        public var openers: [ReplyOpener] = []
        /// How the packet came about, for checking.
        public var details = Details()
    }

    /// Intermediate values of a packet.
    public struct Details: Sendable {
        /// Secrets of the forward path.
        public var secrets = PathSecrets()
        /// Proof of relay of the forward path.
        public var plan = ProofPlan()
        /// Sender ids: the header's, which is also the first SURB's, then the other SURBs'.
        public var senderIDs: [SenderID] = []
        /// SURBs inside.
        public var surbs: [[UInt8]] = []
        /// Payload block before encryption.
        public var padded: [UInt8] = []
    }

    /// Sizes.
    public let geometry: Geometry
    private let memory: Memory
    private let scratch: BuildScratch
    private let tables: NodeTables
    private let proofs: ProofLanes
    /// The forward path and one for each SURB.
    private static let pathsMax = 1 + Geometry.surbsMax
    /// Nodes whose tables are kept, about 1 MB.
    private static let tablesMax = 256

    /// A factory with working memory of its own; for one thread.
    public init(geometry: Geometry) {
        self.geometry = geometry
        var measure = Arena()
        _ = BuildScratch(&measure, lanes: PacketFactory.pathsMax)
        _ = NodeTables(&measure, capacity: PacketFactory.tablesMax)
        _ = ProofLanes(&measure, lanes: PacketFactory.pathsMax)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        scratch = BuildScratch(&arena, lanes: PacketFactory.pathsMax)
        tables = NodeTables(&arena, capacity: PacketFactory.tablesMax)
        proofs = ProofLanes(&arena, lanes: PacketFactory.pathsMax)
    }

    private struct Route {
        let nodes: PathNodes
        let secrets: PathSecrets
        let plan: ProofPlan
    }

    /// Secrets and proofs of paths, path i in lane i.
    private func routes(
        _ paths: [PathNodes],
        _ draw: (Int) -> [UInt8]
    ) throws(Fault) -> [Route] {
        for (lane, nodes) in paths.enumerated() {
            guard nodes.count >= 1 else { throw .path }
            var seed = draw(32)
            guard seed.count == 32, let challenge = Address(draw(20)) else { throw .size }
            scratch.nodes[lane] = nodes
            seed.withRegion { seed in
                scratch.seed[lane] = seed.load(0)
                zeroize(seed)
            }
            proofs.count[lane] = nodes.count
            proofs.lastChallenge[lane] = challenge
        }
        let lanes = LaneMask.first(paths.count)
        let derived = Build.derive(lanes: lanes, tables: tables, scratch: scratch)
        guard derived == lanes else { throw .publicKey }
        for lane in paths.indices {
            proofs.ownHalfKeys[lane] = scratch.ownHalfKeys[lane]
            proofs.ackHalfKeys[lane] = scratch.ackHalfKeys[lane]
        }
        guard proofs.make(lanes: lanes) == lanes else { throw .publicKey }
        var routes: [Route] = []
        for (lane, nodes) in paths.enumerated() {
            let plan = proofs.plan[lane]
            scratch.proofs[lane] = plan.strings
            routes.append(
                Route(nodes: nodes, secrets: scratch.path(lane: lane), plan: plan)
            )
        }
        return routes
    }

    /// Draws the room that a path's header leaves unused.
    private func pad(_ route: Route, lane: Int, _ draw: (Int) -> [UInt8]) {
        let count = Build.paddingBytes(nodes: route.nodes.count)
        if count > 0 { scratch.padding.region(lane).store(bytes: draw(count), 0) }
    }

    /// Makes the headers of all paths, the forward one in lane 0; returns the sender ids: the
    /// header's, which is also the first SURB's, then the other SURBs'.
    private func seal(
        _ routes: [Route],
        senderID: SenderID,
        _ draw: (Int) -> [UInt8]
    ) -> [SenderID] {
        var senderIDs = [senderID]
        scratch.senderID[0] = senderID
        for lane in routes.indices.dropFirst() {
            if lane > 1 {
                let next = SenderIDChain.next(
                    senderIDs[lane - 2],
                    position: UInt32(lane - 1)
                )
                senderIDs.append(next)
            }
            scratch.senderID[lane] = senderIDs[lane - 1]
            pad(routes[lane], lane: lane, draw)
            scratch.senderKey[lane] = Bytes16(draw(16)) ?? Bytes16()
        }
        pad(routes[0], lane: 0, draw)
        let lanes = LaneMask.first(routes.count)
        Build.seal(lanes: lanes, reply: lanes & ~1, scratch: scratch)
        return senderIDs
    }

    /// Builds a message.
    ///
    /// - Parameter draw: gives so many random bytes; called in the order forward seed and last
    ///   challenge, the same for each return path, sender id, then for each SURB padding and sender
    ///   key, forward padding. Padding is not drawn where there is none.
    public func message(
        _ request: Request,
        draw: (Int) -> [UInt8]
    ) throws(Fault) -> Made {
        let surbBytes = request.returns.count * geometry.surbBytes
        guard request.returns.count <= Geometry.surbsMax,
            surbBytes + request.text.count <= geometry.messageBytesMax
        else { throw .size }
        defer { scratch.wipe() }
        let routes = try routes([request.forward] + request.returns, draw)
        let forward = routes[0]
        guard var senderID = SenderID(draw(18)) else { throw .size }
        if let pseudonym = request.pseudonym {
            for index in 0..<Geometry.pseudonymBytes { senderID[index] = pseudonym[index] }
        }
        var details = Details()
        details.secrets = forward.secrets
        details.plan = forward.plan
        details.senderIDs = seal(routes, senderID: senderID, draw)
        let header = scratch.sealed(lane: 0)
        var openers: [ReplyOpener] = []
        for lane in routes.indices.dropFirst() {
            let made = surb(routes[lane], lane: lane)
            details.surbs.append(made.bytes)
            openers.append(made.opener)
        }
        let data = Message.encode(
            signal: request.signal,
            surbs: details.surbs,
            text: request.text
        )
        details.padded = pad(data)
        var packet = [UInt8](repeating: 0, count: geometry.packetBytes)
        packet.withRegion { packet in
            let payload = packet.slice(Geometry.payloadOffset, geometry.payloadBytes)
            payload.store(bytes: details.padded, 0)
            Build.encrypt(payload: payload, secrets: forward.secrets, scratch: scratch)
            Build.write(alpha: forward.secrets.alpha, header: header, to: packet)
        }
        return Made(
            packet: packet,
            nextKeyID: forward.nodes.keyIDs[0],
            nodeCount: forward.nodes.count,
            ticketChallenge: forward.plan.firstChallenge,
            ackChallenge: ProofOfRelay.acknowledgementChallenge(forward.plan.values),
            openers: openers,
            details: details
        )
    }

    /// The SURB whose header stands in a lane.
    private func surb(_ route: Route, lane: Int) -> (bytes: [UInt8], opener: ReplyOpener) {
        var surb = SURB()
        surb.firstKeyID = route.nodes.keyIDs[0]
        surb.alpha = route.secrets.alpha
        surb.header = scratch.sealed(lane: lane)
        surb.senderKey = scratch.senderKey[lane]
        surb.proofValues = route.plan.values
        var opener = ReplyOpener()
        opener.senderID = scratch.senderID[lane]
        opener.senderKey = surb.senderKey
        opener.count = route.secrets.count
        opener.secrets = route.secrets.secrets
        var bytes = [UInt8](repeating: 0, count: geometry.surbBytes)
        bytes.withRegion { surb.write(to: $0) }
        return (bytes, opener)
    }

    /// Builds a reply with somebody's SURB.
    public func reply(
        surb bytes: [UInt8],
        senderID: SenderID,
        signal: Signal,
        text: [UInt8]
    ) throws(Fault) -> Made {
        guard bytes.count == geometry.surbBytes, text.count <= geometry.messageBytesMax else {
            throw .size
        }
        var bytes = bytes
        let surb = bytes.withRegion { SURB($0) }
        let nodeCount = ProofOfRelay.pathLength(surb.proofValues)
        guard nodeCount >= 1, nodeCount <= Geometry.nodesMax else { throw .path }
        defer { scratch.wipe() }
        var details = Details()
        details.padded = pad(Message.encode(signal: signal, surbs: [], text: text))
        var packet = [UInt8](repeating: 0, count: geometry.packetBytes)
        packet.withRegion { packet in
            let payload = packet.slice(Geometry.payloadOffset, geometry.payloadBytes)
            payload.store(bytes: details.padded, 0)
            Reply.encrypt(
                payload: payload,
                surbSenderID: senderID,
                senderKey: surb.senderKey,
                scratch: scratch
            )
            Build.write(alpha: surb.alpha, header: surb.header, to: packet)
        }
        return Made(
            packet: packet,
            nextKeyID: surb.firstKeyID,
            nodeCount: nodeCount,
            ticketChallenge: ProofOfRelay.firstChallenge(surb.proofValues),
            ackChallenge: ProofOfRelay.acknowledgementChallenge(surb.proofValues),
            details: details
        )
    }

    /// Opens a reply's payload block, peeled of our own layer, in place.
    public func open(_ payload: inout [UInt8], opener: ReplyOpener) {
        defer { scratch.wipe() }
        payload.withRegion { Reply.open(payload: $0, opener: opener, scratch: scratch) }
    }

    private func pad(_ data: [UInt8]) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: geometry.payloadBytes - data.count - 1)
        block.append(Padding.marker)
        return block + data
    }
}
