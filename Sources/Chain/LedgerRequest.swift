public import Bytes
public import Crypto
public import Exchange
internal import Store

/// One ticket to be paid, with its evidence.
public struct Redemption: Hashable, Sendable {
    /// The ticket, 132 bytes.
    public var ticket: FixedBytes<132>
    /// The proof of relay.
    public var response: Bytes32
    /// The opening (32 bytes) or the VRF proof, by the ledger's rule.
    public var proof: [UInt8]

    /// A ticket to be paid.
    public init(ticket: FixedBytes<132>, response: Bytes32, proof: [UInt8]) {
        self.ticket = ticket
        self.response = response
        self.proof = proof
    }
}

/// What an account may ask of the ledger.
public enum LedgerAction: Hashable, Sendable {
    /// Registers a packet key and where the node receives.
    case announce(packetKey: Bytes32, endpoint: FixedBytes<19>, packetSignature: Bytes64)
    /// Gives money to another account.
    case transfer(to: Address, amount: UInt128)
    /// Puts money into a channel; opens it if it was closed.
    case fund(destination: Address, amount: UInt128)
    /// Commits to a chain of openings for an incoming channel.
    case commit(source: Address, commitment: Bytes32)
    /// Gives notice that a channel is to be closed.
    case notice(destination: Address)
    /// Closes a channel whose notice period is over.
    case close(destination: Address)
    /// Redeems tickets of one channel, in index order.
    case redeem(source: Address, tickets: [Redemption])
}

/// A request with all that the signature covers.
///
/// Its bytes are typed and canonical: version, kind, account, nonce, fields. The digest binds them
/// to one ledger through its domain separator.
public struct LedgerRequest: Hashable, Sendable {
    /// The account it acts for.
    public var from: Address
    /// Higher than every nonce used before by the account.
    public var nonce: UInt64
    /// What is asked.
    public var action: LedgerAction

    /// Most tickets in one request.
    public static let ticketsMax = 64
    private static let version: UInt8 = 1

    /// A request, to be signed.
    public init(from: Address, nonce: UInt64, action: LedgerAction) {
        self.from = from
        self.nonce = nonce
        self.action = action
    }

    /// What the account's chain key signs. `domain` is the ledger's domain separator.
    public func digest(domain: Bytes32) -> Bytes32 {
        let type = Hash.keccak256(Array("DrayLedgerRequest.\(action.name)".utf8))
        let body = Hash.keccak256(type.array + bytes)
        return Hash.keccak256([0x19, 0x01] + Self.domain(domain).array + body.array)
    }

    /// What the packet key signs in an announcement.
    public static func announcement(
        domain: Bytes32,
        from: Address,
        nonce: UInt64,
        packetKey: Bytes32,
        endpoint: FixedBytes<19>
    ) -> [UInt8] {
        var writer = RecordWriter()
        writer.fixed(domain)
        writer.fixed(from)
        writer.integer(nonce)
        writer.fixed(packetKey)
        writer.fixed(endpoint)
        return Array("DrayLedgerAnnouncement".utf8) + writer.bytes
    }

    /// Requests are kept apart from tickets, which the same key signs under the same ledger.
    private static func domain(_ domain: Bytes32) -> Bytes32 {
        Hash.keccak256(Array("DrayLedgerRequest".utf8) + domain.array)
    }

    // MARK: Bytes

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = RecordWriter()
        writer.integer(Self.version)
        writer.integer(action.tag)
        writer.fixed(from)
        writer.integer(nonce)
        switch action {
        case .announce(let packetKey, let endpoint, let signature):
            writer.fixed(packetKey)
            writer.fixed(endpoint)
            writer.fixed(signature)
        case .transfer(let address, let amount), .fund(let address, let amount):
            writer.fixed(address)
            writer.integer(amount)
        case .commit(let source, let commitment):
            writer.fixed(source)
            writer.fixed(commitment)
        case .notice(let destination), .close(let destination):
            writer.fixed(destination)
        case .redeem(let source, let tickets):
            writer.fixed(source)
            writer.integer(UInt32(tickets.count))
            for ticket in tickets {
                writer.fixed(ticket.ticket)
                writer.fixed(ticket.response)
                writer.counted(ticket.proof)
            }
        }
        return writer.bytes
    }

    /// Reads canonical bytes; nil for anything else, trailing bytes included.
    public init?(bytes: [UInt8]) {
        var reader = RecordReader(bytes)
        guard let version: UInt8 = reader.integer(), version == Self.version,
            let tag: UInt8 = reader.integer(), let from: Address = reader.fixed(),
            let nonce: UInt64 = reader.integer(),
            let action = LedgerAction(tag: tag, &reader), reader.isAtEnd
        else { return nil }
        self.init(from: from, nonce: nonce, action: action)
    }
}

extension LedgerAction {
    var tag: UInt8 {
        switch self {
        case .announce: 1
        case .transfer: 2
        case .fund: 3
        case .commit: 4
        case .notice: 5
        case .close: 6
        case .redeem: 7
        }
    }

    /// The action's name, as digests and logs have it.
    public var name: String {
        switch self {
        case .announce: "announce"
        case .transfer: "transfer"
        case .fund: "fund"
        case .commit: "commit"
        case .notice: "notice"
        case .close: "close"
        case .redeem: "redeem"
        }
    }

    init?(tag: UInt8, _ reader: inout RecordReader) {
        switch tag {
        case 1:
            guard let key: Bytes32 = reader.fixed(), let endpoint: FixedBytes<19> = reader.fixed(),
                let signature: Bytes64 = reader.fixed()
            else { return nil }
            self = .announce(packetKey: key, endpoint: endpoint, packetSignature: signature)
        case 2, 3:
            guard let address: Address = reader.fixed(), let amount: UInt128 = reader.integer()
            else { return nil }
            self =
                tag == 2
                ? .transfer(to: address, amount: amount)
                : .fund(destination: address, amount: amount)
        case 4:
            guard let source: Address = reader.fixed(), let commitment: Bytes32 = reader.fixed()
            else { return nil }
            self = .commit(source: source, commitment: commitment)
        case 5, 6:
            guard let destination: Address = reader.fixed() else { return nil }
            self = tag == 5 ? .notice(destination: destination) : .close(destination: destination)
        case 7:
            guard let source: Address = reader.fixed(), let tickets = Self.tickets(&reader)
            else { return nil }
            self = .redeem(source: source, tickets: tickets)
        default: return nil
        }
    }

    private static func tickets(_ reader: inout RecordReader) -> [Redemption]? {
        guard let count: UInt32 = reader.integer(), count <= 4 * LedgerRequest.ticketsMax else {
            return nil
        }
        var tickets: [Redemption] = []
        for _ in 0..<count {
            guard let ticket: FixedBytes<132> = reader.fixed(),
                let response: Bytes32 = reader.fixed(), let proof = reader.counted(),
                proof.count <= 1_024
            else { return nil }
            tickets.append(Redemption(ticket: ticket, response: response, proof: proof))
        }
        return tickets
    }
}

/// A signature of our own does not verify. Only a fault in this machine does that; the signature
/// may tell the key, so it was not sent.
public struct SigningFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The action's name.
    public var action: String

    /// A fault in a request of that name.
    public init(action: String) { self.action = action }

    /// One line.
    public var description: String {
        "the signature of our \(action) request does not verify, and was not sent: "
            + "suspect memory or processor of this machine"
    }
}

/// A request and its account's signature, ready to be sent and sent again.
public struct SignedRequest: Hashable, Sendable {
    /// The request's canonical bytes.
    public var bytes: [UInt8]
    /// The chain key's signature of the digest: r ‖ s, parity in the top bit of s.
    public var signature: Bytes64

    /// Bytes as received.
    public init(bytes: [UInt8], signature: Bytes64) {
        self.bytes = bytes
        self.signature = signature
    }

    /// Signs a request for one ledger, and verifies what came out.
    public init(
        _ request: LedgerRequest,
        key: ChainKey,
        domain: Bytes32
    ) throws(SigningFault) {
        let signature = key.sign(hash: request.digest(domain: domain))
        try self.init(request, signature: signature, key: key, domain: domain)
    }

    /// Takes a signature that the key has made, if it verifies.
    public init(
        _ request: LedgerRequest,
        signature: Bytes64,
        key: ChainKey,
        domain: Bytes32
    ) throws(SigningFault) {
        let hash = request.digest(domain: domain)
        guard key.hasSigned(hash: hash, signature: signature) else {
            throw SigningFault(action: request.action.name)
        }
        self.init(bytes: request.bytes, signature: signature)
    }

    /// Bytes and signature in one piece, as a store keeps them.
    public var packed: [UInt8] { signature.array + bytes }

    /// Reads what `packed` gives.
    public init?(packed: [UInt8]) {
        guard packed.count >= 64, let signature = Bytes64(packed.prefix(64)) else { return nil }
        self.init(bytes: Array(packed.dropFirst(64)), signature: signature)
    }
}

extension LedgerAction {
    /// An announcement, signed by the packet key for one request of one account.
    public static func announcement(
        key: PacketKey,
        endpoint: Endpoint,
        from: Address,
        nonce: UInt64,
        domain: Bytes32
    ) -> LedgerAction {
        let encoded = endpoint.encoded
        let message = LedgerRequest.announcement(
            domain: domain,
            from: from,
            nonce: nonce,
            packetKey: key.publicKey,
            endpoint: encoded
        )
        return .announce(
            packetKey: key.publicKey,
            endpoint: encoded,
            packetSignature: key.sign(message)
        )
    }
}
