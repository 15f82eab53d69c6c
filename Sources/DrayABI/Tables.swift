// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation
internal import Bytes
public import CDray
internal import Crypto
internal import Engine
internal import Exchange
internal import Tickets

@c @implementation
public func dray_relay_set_identity(
    _ relay: OpaquePointer!,
    _ current: UnsafePointer<dray_identity>!,
    _ previous: UnsafePointer<dray_identity>!
) -> dray_status {
    guard let current = unsafe current else { return DRAY_ERROR_NULL }
    let now = unsafe current.pointee
    let before = unsafe previous?.pointee
    return unsafe enter(relay) { context in
        var address = Address()
        guard chainAddress(now, &address) else { return DRAY_ERROR_KEY }
        let identity = SnapshotIdentity(
            current: packetIdentity(now),
            previous: before.map(packetIdentity),
            chainAddress: address,
            chainKey: fixed(now.chain_key),
            domain: fixed(now.domain)
        )
        let movesAway = context.identity.map { $0.chainAddress != address } ?? false
        context.identity = identity
        if movesAway {
            context.active = nil
        } else if let active = context.active {
            SnapshotWriter(Snapshot(context.snapshots[active])).set(identity: identity)
        }
        return DRAY_OK
    }
}

private func chainAddress(_ identity: dray_identity, _ address: inout Address) -> Bool {
    var place = FixedBytes<512>()
    var key: Bytes32 = fixed(identity.chain_key)
    return place.withRegion { place in
        let start = Int(truncatingIfNeeded: (64 &- place.address % 64) % 64)
        let curve = Secp256k1(in: place.slice(start, Secp256k1.byteCount))
        return key.withRegion { key in
            var point = CurvePoint()
            let found = curve.multiplyBase(key, into: &point)
            zeroize(key)
            return found && curve.address(of: point, into: &address)
        }
    }
}

private func packetIdentity(_ identity: dray_identity) -> PacketIdentity {
    var seed: Bytes32 = fixed(identity.packet_seed)
    var (signingKey, scalar, publicKey) = (Bytes64(), Bytes32(), Bytes32())
    seed.withRegion { seed in
        signingKey.withRegion { key in
            Ed25519.makeSigningKey(seed: seed, into: key)
            publicKey = key.load(32)
        }
        scalar.withRegion { Ed25519.makeScalar(seed: seed, into: $0) }
        zeroize(seed)
    }
    return PacketIdentity(
        keyID: identity.key_id,
        publicKey: publicKey,
        scalar: scalar,
        secretKey: signingKey
    )
}

func amount(_ value: dray_amount) -> UInt128 {
    UInt128(value.high) << 64 | UInt128(value.low)
}

@c @implementation
public func dray_relay_set_policy(
    _ relay: OpaquePointer!,
    _ policy: UnsafePointer<dray_policy>!
) -> dray_status {
    guard let policy = unsafe policy else { return DRAY_ERROR_NULL }
    let value = unsafe policy.pointee
    guard amount(value.price) < Ticket.amountLimit,
        amount(value.minimum_amount) < Ticket.amountLimit, value.win_probability < 1 << 56,
        value.win_probability_least < 1 << 56
    else { return DRAY_ERROR_RANGE }
    return unsafe enter(relay) { context in
        context.policy = Policy(
            price: amount(value.price),
            minimumAmount: amount(value.minimum_amount),
            winProbability: WinProbability(rawValue: value.win_probability),
            winProbabilityLeast: WinProbability(rawValue: value.win_probability_least)
        )
        context.snapshot?.update(policy: context.policy)
        return DRAY_OK
    }
}

@c @implementation
public func dray_relay_set_tables(
    _ relay: OpaquePointer!,
    _ nodes: UnsafePointer<dray_node>!,
    _ node_count: Int,
    _ channels: UnsafePointer<dray_channel>!,
    _ channel_count: Int
) -> dray_status {
    guard unsafe node_count == 0 || nodes != nil, unsafe channel_count == 0 || channels != nil
    else { return DRAY_ERROR_NULL }
    return unsafe enter(relay) { context in
        guard let identity = context.identity else { return DRAY_ERROR_STATE }
        guard 0...context.config.nodesMax ~= node_count,
            0...context.config.channelsMax ~= channel_count
        else { return DRAY_ERROR_RANGE }
        let next = context.active == 0 ? 1 : 0
        let region = context.snapshots[next]
        zeroize(region)
        let writer = SnapshotWriter(
            region,
            nodes: node_count,
            channels: context.config.channelsMax,
            identity: identity,
            policy: context.policy,
            hash: context.config.engine.hash
        )
        writer.set(signers: context.signers.tables, verifiers: context.verifiers.tables)
        for index in 0..<node_count { unsafe writer.set(node: row(nodes[index]), index) }
        for index in 0..<channel_count {
            let channel = unsafe channels[index]
            let slot = Int(channel.slot)
            guard isValid(channel), slot < context.config.channelsMax,
                writer.finish().channels[slot].used == 0
            else {
                zeroize(region)
                return DRAY_ERROR_RANGE
            }
            writer.set(channel: row(channel, identity), slot: channel.slot)
        }
        for index in 0..<channel_count { unsafe open(channels[index], context) }
        if let active = context.active { zeroize(context.snapshots[active]) }
        context.active = next
        context.openTables(writer.finish())
        return DRAY_OK
    }
}

private func isValid(_ channel: dray_channel) -> Bool {
    channel.direction <= 1 && channel.status <= 3 && channel.commitment_rule <= 1
        && channel.stopped <= 1 && channel.channel_epoch < Ticket.channelEpochLimit
        && amount(channel.balance) < 1 << 127 && amount(channel.reserved) < 1 << 127
        && channel.index_floor <= Ticket.indexLimit && channel.next_index <= Ticket.indexLimit
        && channel.index_limit <= Ticket.indexLimit
}

private func row(_ node: dray_node) -> NodeRow {
    NodeRow(
        keyID: node.key_id,
        packetKey: fixed(node.packet_key),
        chainAddress: fixed(node.chain_address),
        endpoint: Endpoint()
    )
}

private func row(_ channel: dray_channel, _ identity: SnapshotIdentity) -> ChannelRow {
    let peer: Address = fixed(channel.peer)
    let isIncoming = channel.direction == 0
    var (pair, id) = (FixedBytes<40>(), Bytes32())
    pair.withRegion { pair in
        pair.store(isIncoming ? peer : identity.chainAddress, 0)
        pair.store(isIncoming ? identity.chainAddress : peer, 20)
        id.withRegion { Hash.keccak256(pair, into: $0) }
    }
    let isCommitment = channel.commitment_rule == 1
    return ChannelRow(
        direction: isIncoming ? .incoming : .outgoing,
        peer: peer,
        channelID: id,
        domain: isCommitment ? domain(identity.domain, channel.ticket_epoch) : identity.domain,
        channelEpoch: channel.channel_epoch,
        ticketEpoch: channel.ticket_epoch,
        status: ChannelStatus(rawValue: channel.status) ?? .closed,
        rule: isCommitment ? .commitment : .vrf,
        balance: amount(channel.balance)
    )
}

/// Keccak-256(dst ‖ ticket epoch): what tickets of a channel under commitments are hashed with.
private func domain(_ plain: Bytes32, _ ticketEpoch: UInt32) -> Bytes32 {
    var (material, result) = (FixedBytes<36>(), Bytes32())
    material.withRegion { material in
        material.store(plain, 0)
        material.storeBigEndian(UInt64(ticketEpoch), 32, count: 4)
        result.withRegion { Hash.keccak256(material, into: $0) }
    }
    return result
}

/// Counters of a slot: new for a new owner, raised for the old one.
private func open(_ channel: dray_channel, _ context: borrowing RelayContext) {
    var owner = SlotOwner(
        used: 1,
        direction: channel.direction,
        channelEpoch: channel.channel_epoch,
        peer: fixed(channel.peer)
    )
    let before = context.owners[Int(channel.slot)]
    let isNew =
        before.used == 0 || before.direction != owner.direction
        || before.channelEpoch != owner.channelEpoch || before.peer != owner.peer
    if isNew {
        if before.peer == owner.peer {
            owner.hasKey = before.hasKey
            owner.publicKey = before.publicKey
        }
        context.books.clear(channel.slot)
        context.books.restore(channel.slot, amount(channel.reserved))
        context.books.setNextIndex(channel.slot, channel.next_index)
        context.owners[Int(channel.slot)] = owner
    }
    context.books.raiseFloor(channel.slot, to: channel.index_floor)
    context.books.raiseIndexLimit(channel.slot, to: channel.index_limit)
    context.books.setStopped(channel.slot, channel.stopped == 1)
}
