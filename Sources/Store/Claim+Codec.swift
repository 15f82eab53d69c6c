internal import Bytes

extension ClaimKey {
    /// The key on disk; keys sort like their values.
    var bytes: [UInt8] {
        var writer = RecordWriter()
        writer.fixed(channelID)
        writer.integer(channelEpoch)
        writer.integer(index)
        return writer.bytes
    }

    init?(bytes: [UInt8]) {
        var reader = RecordReader(bytes)
        self.init(&reader)
        guard reader.isAtEnd else { return nil }
    }

    init?(_ reader: inout RecordReader) {
        guard let id: Bytes32 = reader.fixed(), let epoch: UInt32 = reader.integer(),
            let index: UInt64 = reader.integer()
        else { return nil }
        self.init(channelID: id, channelEpoch: epoch, index: index)
    }
}

extension Claim {
    var record: [UInt8] {
        var writer = RecordWriter()
        writer.integer(scheme.rawValue)
        writer.integer(state.rawValue)
        writer.integer(reason.rawValue)
        writer.integer(ticketEpoch)
        writer.integer(amount)
        writer.integer(currency)
        writer.fixed(ticket)
        writer.fixed(response)
        writer.integer(position ?? .max)
        writer.integer(unlockedMillis)
        writer.integer(nonce)
        return writer.bytes
    }

    init?(key: [UInt8], record: [UInt8]) {
        var reader = RecordReader(record)
        guard let key = ClaimKey(bytes: key),
            let scheme = reader.integer().flatMap(Scheme.init(rawValue:)),
            let state = reader.integer().flatMap(ClaimState.init(rawValue:)),
            let reason = reader.integer().flatMap(Drop.init(rawValue:)),
            let ticketEpoch: UInt32 = reader.integer(), let amount: UInt128 = reader.integer(),
            let currency: UInt32 = reader.integer(),
            let ticket: FixedBytes<132> = reader.fixed(), let response: Bytes32 = reader.fixed(),
            let position: UInt32 = reader.integer(), let millis: UInt64 = reader.integer(),
            let nonce: UInt64 = reader.integer(), reader.isAtEnd
        else { return nil }
        self.init(
            key: key,
            scheme: scheme,
            ticketEpoch: ticketEpoch,
            amount: amount,
            currency: currency,
            ticket: ticket,
            response: response,
            unlockedMillis: millis
        )
        self.state = state
        self.reason = reason
        self.position = position == .max ? nil : position
        self.nonce = nonce
    }
}

extension IncomingState {
    var record: [UInt8] {
        var writer = RecordWriter()
        writer.integer(channelEpoch)
        writer.fixed(source)
        writer.integer(ticketEpoch)
        writer.integer(floor)
        writer.integer(chainPosition)
        writer.integer(nextPosition)
        writer.fixed(commitment)
        return writer.bytes
    }

    init?(key: [UInt8], record: [UInt8]) {
        var reader = RecordReader(record)
        guard let id = Bytes32(key), let channelEpoch: UInt32 = reader.integer(),
            let source: Address = reader.fixed(), let ticketEpoch: UInt32 = reader.integer(),
            let floor: UInt64 = reader.integer(), let chain: UInt32 = reader.integer(),
            let next: UInt32 = reader.integer(), let commitment: Bytes32 = reader.fixed(),
            reader.isAtEnd
        else { return nil }
        self.init(
            channelID: id,
            channelEpoch: channelEpoch,
            source: source,
            ticketEpoch: ticketEpoch,
            floor: floor,
            position: chain,
            commitment: commitment
        )
        nextPosition = next
    }
}

extension OutgoingState {
    var record: [UInt8] {
        var writer = RecordWriter()
        writer.integer(channelEpoch)
        writer.integer(indexLimit)
        return writer.bytes
    }

    init?(key: [UInt8], record: [UInt8]) {
        var reader = RecordReader(record)
        guard let id = Bytes32(key), let epoch: UInt32 = reader.integer(),
            let limit: UInt64 = reader.integer(), reader.isAtEnd
        else { return nil }
        self.init(channelID: id, channelEpoch: epoch, indexLimit: limit)
    }
}

extension Totals {
    var record: [UInt8] {
        var writer = RecordWriter()
        for count in [received, won, lost, redeemed] { writer.integer(count) }
        writer.integer(wonValue)
        writer.integer(redeemedValue)
        writer.integer(UInt32(void.count))
        for (reason, count) in void.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            writer.integer(reason.rawValue)
            writer.integer(count)
        }
        return writer.bytes
    }

    init?(record: [UInt8]) {
        self.init()
        var reader = RecordReader(record)
        guard let received: UInt64 = reader.integer(), let won: UInt64 = reader.integer(),
            let lost: UInt64 = reader.integer(), let redeemed: UInt64 = reader.integer(),
            let wonValue: UInt128 = reader.integer(), let paid: UInt128 = reader.integer(),
            let reasons: UInt32 = reader.integer()
        else { return nil }
        (self.received, self.won, self.lost, self.redeemed) = (received, won, lost, redeemed)
        (self.wonValue, redeemedValue) = (wonValue, paid)
        for _ in 0..<reasons {
            guard let reason = reader.integer().flatMap(Drop.init(rawValue:)),
                let count: UInt64 = reader.integer()
            else { return nil }
            void[reason] = count
        }
        guard reader.isAtEnd else { return nil }
    }
}

extension Submission {
    var record: [UInt8] {
        var writer = RecordWriter()
        writer.counted(request)
        writer.integer(sequence)
        writer.integer(UInt32(claims.count))
        for claim in claims {
            writer.fixed(claim.channelID)
            writer.integer(claim.channelEpoch)
            writer.integer(claim.index)
        }
        return writer.bytes
    }

    init?(key: [UInt8], record: [UInt8]) {
        var name = RecordReader(key)
        var reader = RecordReader(record)
        guard let nonce: UInt64 = name.integer(), let request = reader.counted(),
            let sequence: UInt64 = reader.integer(), let count: UInt32 = reader.integer()
        else { return nil }
        var claims: [ClaimKey] = []
        for _ in 0..<count {
            guard let claim = ClaimKey(&reader) else { return nil }
            claims.append(claim)
        }
        guard reader.isAtEnd else { return nil }
        self.init(nonce: nonce, request: request, claims: claims, sequence: sequence)
    }
}
