// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation
internal import Bytes
public import CDray
internal import Engine
internal import Exchange
internal import Sphinx
internal import Tickets

@c @implementation
public func dray_relay_process(
    _ relay: OpaquePointer!,
    _ packets: UnsafeMutableRawPointer!,
    _ stride: Int,
    _ count: Int,
    _ lengths: UnsafePointer<UInt32>!,
    _ from: UnsafePointer<UInt32>!,
    _ now_ns: UInt64,
    _ random: UnsafePointer<UInt8>!,
    _ results: UnsafeMutablePointer<dray_result>!
) -> dray_status {
    guard 0...(1 << 16) ~= count else { return DRAY_ERROR_RANGE }
    return unsafe enter(relay) { context in
        guard let snapshot = context.snapshot else { return DRAY_ERROR_STATE }
        guard count > 0 else { return DRAY_OK }
        guard let packets = unsafe packets, let from = unsafe from, let results = unsafe results
        else { return DRAY_ERROR_NULL }
        let size = context.config.engine.geometry.packetBytes
        guard stride >= size else { return DRAY_ERROR_SIZE }
        guard stride <= 1 << 20 else { return DRAY_ERROR_RANGE }
        if let random = unsafe random {
            var seed = unsafe UnsafeRawPointer(random).loadUnaligned(as: Bytes32.self)
            seed.withRegion {
                context.engine.mix(seed: $0)
                zeroize($0)
            }
        }
        // The last packet's slot may end with the packet.
        let bytes = (count - 1) * stride + size
        let slab = unsafe Slab(region: Region(base: packets, byteCount: bytes), stride: stride)
        var first = 0
        while first < count {
            let end = min(count, first + Batch.capacity)
            var batch = Batch()
            batch.reset(nowNanos: now_ns)
            for packet in first..<end {
                batch.append(
                    slot: UInt32(packet),
                    byteCount: unsafe lengths?[packet] ?? UInt32(size),
                    source: snapshot.node(keyID: unsafe from[packet])
                )
            }
            context.engine.process(&batch, slab: slab, snapshot: snapshot)
            for lane in 0..<(end - first) {
                unsafe results[first + lane] = result(batch, lane, context.engine, snapshot)
            }
            first = end
        }
        return DRAY_OK
    }
}

private func result(
    _ batch: borrowing Batch,
    _ lane: Int,
    _ engine: borrowing Engine,
    _ snapshot: Snapshot
) -> dray_result {
    var result = dray_result()
    let outcome = engine.outcome
    result.verdict = UInt32(batch.verdict(lane).index)
    result.next_key_id = Snapshot.none
    if outcome.forwarded.contains(lane) {
        result.action = 1
        result.next_key_id = snapshot.nodes[Int(engine.nextNode(lane))].keyID
    } else if outcome.delivered.contains(lane) {
        result.action = 2
    } else if outcome.acknowledgements.contains(lane) {
        result.action = 3
    }
    if outcome.acknowledge.contains(lane) {
        result.acknowledge = 1
        store(engine.ackKey(lane), &result.ack_key)
    }
    return result
}

@c @implementation
public func dray_relay_acknowledge(
    _ relay: OpaquePointer!,
    _ key_id: UInt32,
    _ acks: UnsafePointer<UInt8>!,
    _ count: Int,
    _ now_ns: UInt64
) -> dray_status {
    guard 0...(1 << 16) ~= count else { return DRAY_ERROR_RANGE }
    return unsafe enter(relay) { context in
        guard let snapshot = context.snapshot else { return DRAY_ERROR_STATE }
        guard count > 0 else { return DRAY_OK }
        guard let acks = unsafe acks else { return DRAY_ERROR_NULL }
        let node = snapshot.node(keyID: key_id)
        guard node != Snapshot.none else { return DRAY_ERROR_NODE }
        let base = unsafe UnsafeMutableRawPointer(mutating: acks)
            .assumingMemoryBound(to: Acknowledgement.self)
        var first = 0
        while first < count {
            let part = min(Batch.capacity, count - first)
            let column = unsafe Column(base: base + first, count: part)
            context.engine.acknowledge(column, from: node, snapshot: snapshot, nowNanos: now_ns)
            first += part
        }
        return DRAY_OK
    }
}

@c @implementation
public func dray_relay_make_ack_packet(
    _ relay: OpaquePointer!,
    _ key_id: UInt32,
    _ ack_keys: UnsafePointer<UInt8>!,
    _ count: Int,
    _ packet: UnsafeMutableRawPointer!,
    _ size: Int
) -> dray_status {
    unsafe enter(relay) { context in
        guard let snapshot = context.snapshot else { return DRAY_ERROR_STATE }
        guard let ack_keys = unsafe ack_keys, let packet = unsafe packet else {
            return DRAY_ERROR_NULL
        }
        let geometry = context.config.engine.geometry
        guard 1...geometry.ackCapacity ~= count else { return DRAY_ERROR_RANGE }
        guard size >= geometry.packetBytes else { return DRAY_ERROR_SIZE }
        let node = snapshot.node(keyID: key_id)
        guard node != Snapshot.none else { return DRAY_ERROR_NODE }
        let base = unsafe UnsafeMutableRawPointer(mutating: ack_keys)
            .assumingMemoryBound(to: Bytes32.self)
        let made = unsafe context.engine.makeAckPacket(
            to: node,
            halfKeys: Column(base: base, count: count),
            count: count,
            packet: Region(base: packet, byteCount: geometry.packetBytes),
            snapshot: snapshot
        )
        return made ? DRAY_OK : DRAY_ERROR_KEY
    }
}

@c @implementation
public func dray_relay_register_sent(
    _ relay: OpaquePointer!,
    _ key_id: UInt32,
    _ ack_challenge: UnsafePointer<UInt8>!,
    _ now_ns: UInt64
) -> dray_status {
    unsafe enter(relay) { context in
        guard let snapshot = context.snapshot else { return DRAY_ERROR_STATE }
        guard let ack_challenge = unsafe ack_challenge else { return DRAY_ERROR_NULL }
        guard snapshot.node(keyID: key_id) != Snapshot.none else { return DRAY_ERROR_NODE }
        let done = context.engine.registerSent(
            keyID: key_id,
            ackChallenge: unsafe UnsafeRawPointer(ack_challenge).loadUnaligned(as: Bytes33.self),
            snapshot: snapshot,
            nowNanos: now_ns
        )
        return done ? DRAY_OK : DRAY_ERROR_FULL
    }
}

@c @implementation
public func dray_relay_expire(_ relay: OpaquePointer!, _ now_ns: UInt64) -> dray_status {
    unsafe enter(relay) { context in
        context.engine.expire(nowNanos: now_ns)
        return DRAY_OK
    }
}
