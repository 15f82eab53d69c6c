// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation
internal import Bytes
public import CDray
internal import Engine
internal import Exchange
internal import Tickets

@c @implementation
public func dray_relay_next_report(
    _ relay: OpaquePointer!,
    _ report: UnsafeMutablePointer<dray_report>!,
    _ payload: UnsafeMutableRawPointer!,
    _ capacity: Int
) -> dray_status {
    guard let report = unsafe report else { return DRAY_ERROR_NULL }
    return unsafe enter(relay) { context in
        while let view = context.reports.peek(), context.learn(view) { context.reports.release() }
        guard let view = context.reports.peek() else { return 0 }
        unsafe report.pointee = fill(view)
        if view.kind == 4 {
            let bytes = view.payload
            guard capacity >= bytes.byteCount else { return DRAY_ERROR_SIZE }
            guard let payload = unsafe payload else { return DRAY_ERROR_NULL }
            unsafe Region(base: payload, byteCount: capacity).copy(bytes, to: 0)
        }
        context.reports.release()
        return 1
    }
}

private func fill(_ view: ReportView) -> dray_report {
    var report = dray_report()
    report.kind = view.kind
    report.at_ns = view.atNanos
    report.channel = Snapshot.none
    report.key_id = Snapshot.none
    switch view.kind {
    case 1:
        report.channel = view.channel
        report.index = view.index
    case 2:
        report.channel = view.channel
        let ticket: FixedBytes<132> = view.ticket.load(0)
        store(ticket, &report.ticket)
        store(view.response, &report.response)
        report.index = view.ticket.bigEndian(32, count: 6)
        report.amount = amount(ofTicket: view.ticket)
    case 3:
        report.channel = view.channel
        report.index = view.index
        report.amount = split(view.amount)
        report.reason = UInt32(view.reason.index)
    case 4:
        report.key_id = view.keyID
        report.is_reply = view.isReply ? 1 : 0
        report.payload_bytes = UInt64(view.payload.byteCount)
        store(view.ackKey, &report.ack_key)
        store(view.senderID, &report.sender_id)
    default:
        report.key_id = view.keyID
        store(view.hint, &report.hint)
    }
    return report
}

private func amount(ofTicket ticket: Region) -> dray_amount {
    dray_amount(high: ticket.bigEndian(20, count: 4), low: ticket.bigEndian(24, count: 8))
}

private func split(_ amount: UInt128) -> dray_amount {
    dray_amount(
        high: UInt64(truncatingIfNeeded: amount >> 64),
        low: UInt64(truncatingIfNeeded: amount)
    )
}

@c @implementation
public func dray_relay_release(
    _ relay: OpaquePointer!,
    _ slot: UInt32,
    _ amount: dray_amount
) -> dray_status {
    unsafe enter(relay) { context in
        guard Int(slot) < context.books.slotCount else { return DRAY_ERROR_RANGE }
        context.books.release(slot, DrayABI.amount(amount))
        return DRAY_OK
    }
}

@c @implementation
public func dray_relay_raise_floor(
    _ relay: OpaquePointer!,
    _ slot: UInt32,
    _ floor: UInt64
) -> dray_status {
    unsafe enter(relay) { context in
        guard Int(slot) < context.books.slotCount, floor <= Ticket.indexLimit else {
            return DRAY_ERROR_RANGE
        }
        context.books.raiseFloor(slot, to: floor)
        return DRAY_OK
    }
}

@c @implementation
public func dray_relay_raise_limit(
    _ relay: OpaquePointer!,
    _ slot: UInt32,
    _ limit: UInt64
) -> dray_status {
    unsafe enter(relay) { context in
        guard Int(slot) < context.books.slotCount, limit <= Ticket.indexLimit else {
            return DRAY_ERROR_RANGE
        }
        context.books.raiseIndexLimit(slot, to: limit)
        return DRAY_OK
    }
}

@c @implementation
public func dray_relay_channel_state(
    _ relay: OpaquePointer!,
    _ slot: UInt32,
    _ state: UnsafeMutablePointer<dray_channel_state>!
) -> dray_status {
    guard let state = unsafe state else { return DRAY_ERROR_NULL }
    return unsafe enter(relay) { context in
        guard Int(slot) < context.books.slotCount else { return DRAY_ERROR_RANGE }
        unsafe state.pointee = dray_channel_state(
            reserved: split(context.books.reserved(slot)),
            index_floor: context.books.floor(slot),
            index_top: context.books.top(slot),
            next_index: context.books.nextIndex(slot),
            index_limit: context.books.indexLimit(slot)
        )
        return DRAY_OK
    }
}

@c @implementation
public func dray_relay_drops(_ relay: OpaquePointer!, _ code: UInt32) -> UInt64 {
    guard code < dropCount else { return 0 }
    return unsafe number(relay) { $0.counters.value(Drop(index: UInt8(code))) }
}

@c @implementation
public func dray_relay_replay_count(_ relay: OpaquePointer!) -> UInt64 {
    unsafe number(relay) { $0.replay.count }
}

@c @implementation
public func dray_relay_unacked_count(_ relay: OpaquePointer!) -> UInt64 {
    unsafe number(relay) { UInt64($0.awaited) }
}

private func number(_ relay: OpaquePointer?, _ read: (borrowing Engine) -> UInt64) -> UInt64 {
    var value: UInt64 = 0
    _ = unsafe enter(relay) { context in
        value = read(context.engine)
        return DRAY_OK
    }
    return value
}
