internal import Bytes
internal import Exchange
internal import Store
internal import Tickets

// How the ledger's records look on disk and, in hex, on the socket.

extension LedgerParameters {
    /// The parameters as bytes.
    public var record: [UInt8] {
        var writer = RecordWriter()
        writer.integer(chainID)
        writer.fixed(contract)
        writer.integer(rule.rawValue)
        writer.integer(selector)
        writer.integer(noticeMillis)
        writer.integer(keyGraceMillis)
        writer.integer(grant)
        writer.integer(supply)
        return writer.bytes
    }

    /// What `record` gave; nil if the bytes are no parameters.
    public init?(record: [UInt8]) {
        var reader = RecordReader(record)
        guard let chainID: UInt64 = reader.integer(), let contract: Address = reader.fixed(),
            let rule = reader.integer().flatMap(LuckRule.init(rawValue:)),
            let selector: UInt32 = reader.integer(), let notice: UInt64 = reader.integer(),
            let grace: UInt64 = reader.integer(), let grant: UInt128 = reader.integer(),
            let supply: UInt128 = reader.integer(), reader.isAtEnd
        else { return nil }
        self.init(
            chainID: chainID,
            contract: contract,
            rule: rule,
            selector: selector,
            noticeMillis: notice,
            keyGraceMillis: grace,
            grant: grant,
            supply: supply
        )
    }
}

extension Receipt {
    func write(_ writer: inout RecordWriter) {
        writer.integer(nonce)
        writer.integer(refusal?.rawValue ?? 0)
        writer.integer(redeemed)
        writer.integer(keyID)
        writer.integer(sequence)
    }

    init?(_ reader: inout RecordReader) {
        guard let nonce: UInt64 = reader.integer(), let refusal: UInt8 = reader.integer(),
            let redeemed: UInt32 = reader.integer(), let keyID: UInt32 = reader.integer(),
            let sequence: UInt64 = reader.integer()
        else { return nil }
        let known = Refusal(rawValue: refusal)
        guard refusal == 0 || known != nil else { return nil }
        self.init(
            nonce: nonce,
            refusal: known,
            redeemed: redeemed,
            keyID: keyID,
            sequence: sequence
        )
    }
}

extension Account {
    var record: [UInt8] {
        var writer = RecordWriter()
        writer.fixed(address)
        writer.integer(balance)
        writer.integer(nonce)
        writer.fixed(digest)
        if let receipt { receipt.write(&writer) }
        return writer.bytes
    }

    init?(record: [UInt8]) {
        var reader = RecordReader(record)
        guard let address: Address = reader.fixed(), let balance: UInt128 = reader.integer(),
            let nonce: UInt64 = reader.integer(), let digest: Bytes32 = reader.fixed()
        else { return nil }
        self.init(address: address, balance: balance)
        self.nonce = nonce
        self.digest = digest
        if !reader.isAtEnd {
            guard let receipt = Receipt(&reader), reader.isAtEnd else { return nil }
            self.receipt = receipt
        }
    }
}

extension Channel {
    func write(_ writer: inout RecordWriter) {
        writer.fixed(id)
        writer.fixed(source)
        writer.fixed(destination)
        writer.integer(balance)
        writer.integer(channelEpoch)
        writer.integer(ticketEpoch)
        writer.integer(ticketIndex)
        writer.integer(status.rawValue)
        writer.integer(closesMillis)
        writer.fixed(commitment)
    }

    init?(_ reader: inout RecordReader) {
        guard let id: Bytes32 = reader.fixed(), let source: Address = reader.fixed(),
            let destination: Address = reader.fixed(), let balance: UInt128 = reader.integer(),
            let channelEpoch: UInt32 = reader.integer(),
            let ticketEpoch: UInt32 = reader.integer(), let index: UInt64 = reader.integer(),
            let status = reader.integer().flatMap(ChannelStatus.init(rawValue:)),
            let closes: UInt64 = reader.integer(), let commitment: Bytes32 = reader.fixed()
        else { return nil }
        self.init(id: id, source: source, destination: destination)
        self.balance = balance
        self.channelEpoch = channelEpoch
        self.ticketEpoch = ticketEpoch
        ticketIndex = index
        self.status = status
        closesMillis = closes
        self.commitment = commitment
    }

    var record: [UInt8] {
        var writer = RecordWriter()
        write(&writer)
        return writer.bytes
    }

    init?(record: [UInt8]) {
        var reader = RecordReader(record)
        self.init(&reader)
        guard reader.isAtEnd else { return nil }
    }
}

extension RegisteredNode {
    func write(_ writer: inout RecordWriter) {
        writer.integer(keyID)
        writer.fixed(packetKey)
        writer.fixed(chainAddress)
        writer.fixed(endpoint.encoded)
        writer.integer(announcedMillis)
        writer.integer(retiresMillis)
    }

    init?(_ reader: inout RecordReader) {
        guard let keyID: UInt32 = reader.integer(), let packetKey: Bytes32 = reader.fixed(),
            let address: Address = reader.fixed(), let encoded: FixedBytes<19> = reader.fixed(),
            let endpoint = Endpoint(encoded: encoded), let announced: UInt64 = reader.integer(),
            let retires: UInt64 = reader.integer()
        else { return nil }
        self.init(
            keyID: keyID,
            packetKey: packetKey,
            chainAddress: address,
            endpoint: endpoint,
            announcedMillis: announced,
            retiresMillis: retires
        )
    }

    var record: [UInt8] {
        var writer = RecordWriter()
        write(&writer)
        return writer.bytes
    }

    init?(record: [UInt8]) {
        var reader = RecordReader(record)
        self.init(&reader)
        guard reader.isAtEnd else { return nil }
    }
}

extension LedgerEvent {
    var record: [UInt8] {
        var writer = RecordWriter()
        writer.integer(sequence)
        writer.integer(millis)
        switch kind {
        case .node(let node):
            writer.integer(UInt8(1))
            node.write(&writer)
        case .funded(let channel, let amount):
            writer.integer(UInt8(2))
            channel.write(&writer)
            writer.integer(amount)
        case .committed(let channel):
            writer.integer(UInt8(3))
            channel.write(&writer)
        case .noticed(let channel):
            writer.integer(UInt8(4))
            channel.write(&writer)
        case .closed(let channel, let refund):
            writer.integer(UInt8(5))
            channel.write(&writer)
            writer.integer(refund)
        case .redeemed(let channel, let index, let amount):
            writer.integer(UInt8(6))
            channel.write(&writer)
            writer.integer(index)
            writer.integer(amount)
        case .transferred(let from, let to, let amount):
            writer.integer(UInt8(7))
            writer.fixed(from)
            writer.fixed(to)
            writer.integer(amount)
        }
        return writer.bytes
    }

    init?(record: [UInt8]) {
        var reader = RecordReader(record)
        guard let sequence: UInt64 = reader.integer(), let millis: UInt64 = reader.integer(),
            let tag: UInt8 = reader.integer(), let kind = Self.kind(tag, &reader), reader.isAtEnd
        else { return nil }
        self.init(sequence: sequence, millis: millis, kind: kind)
    }

    private static func kind(_ tag: UInt8, _ reader: inout RecordReader) -> Kind? {
        if tag == 1 { return RegisteredNode(&reader).map { .node($0) } }
        if tag == 7 {
            guard let from: Address = reader.fixed(), let to: Address = reader.fixed(),
                let amount: UInt128 = reader.integer()
            else { return nil }
            return .transferred(from: from, to: to, amount: amount)
        }
        guard let channel = Channel(&reader) else { return nil }
        switch tag {
        case 2: return reader.integer().map { .funded(channel, amount: $0) }
        case 3: return .committed(channel)
        case 4: return .noticed(channel)
        case 5: return reader.integer().map { .closed(channel, refund: $0) }
        case 6:
            guard let index: UInt64 = reader.integer(), let amount: UInt128 = reader.integer()
            else { return nil }
            return .redeemed(channel, index: index, amount: amount)
        default: return nil
        }
    }
}
