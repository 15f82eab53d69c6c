// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation
internal import Bytes
public import CDray
internal import Engine
internal import Exchange
internal import Sphinx

/// A configuration whose numbers are all in range.
struct CheckedConfig {
    let engine: EngineConfig
    let nodesMax: Int
    let channelsMax: Int
    let replayMax: Int
    let reportBytes: Int
    /// Tables of issuers, and of neighbours.
    let issuersMax: Int
    let neighboursMax: Int

    init?(_ config: dray_config) {
        guard 512...16_384 ~= config.payload_bytes,
            config.surb_bytes == 395 || config.surb_bytes == 401 || config.surb_bytes == 402,
            config.refuse_neutral_alpha <= 1, config.ack_on_reject <= 1,
            config.recheck_responses <= 1, config.replay_outside <= 1,
            1...(1 << 20) ~= config.nodes_max, 1...(1 << 16) ~= config.channels_max,
            1...(1 << 24) ~= config.unacked_max, 1...(1 << 34) ~= config.replay_max,
            (1 << 16)...(1 << 30) ~= config.report_bytes,
            config.report_bytes.nonzeroBitCount == 1,
            config.issuer_table_bytes <= 1 << 36, config.neighbour_table_bytes <= 1 << 36
        else { return nil }
        let geometry = Geometry(
            payloadBytes: Int(config.payload_bytes),
            surbBytes: Int(config.surb_bytes),
            ticketSelector: config.ticket_selector,
            refusesNeutralAlpha: config.refuse_neutral_alpha == 1
        )
        var key: Bytes16 = fixed(config.hash_key)
        let hash = key.withRegion { KeyedHash($0.load(0), $0.load(8)) }
        var engine = EngineConfig(geometry: geometry, hash: hash)
        engine.unackedCapacity = Int(config.unacked_max)
        engine.ackTTLNanos = config.ack_ttl_ns
        engine.peerRows = min(1 << 16, 4 * Int(config.nodes_max))
        engine.ackOnReject = config.ack_on_reject == 1 ? EngineConfig.AckOnReject.random : .none
        engine.rejectAnswersPerSecond = config.reject_answers_per_second
        engine.rechecksResponses = config.recheck_responses == 1
        engine.tellsKeys = true
        self.engine = engine
        nodesMax = Int(config.nodes_max)
        channelsMax = Int(config.channels_max)
        replayMax = Int(config.replay_max)
        reportBytes = Int(config.report_bytes)
        let issuers = TableCache.places(.signer, budgetBytes: Int(config.issuer_table_bytes))
        issuersMax = min(issuers, channelsMax)
        let neighbours = TableCache.places(
            .verifier,
            budgetBytes: Int(config.neighbour_table_bytes)
        )
        neighboursMax = min(neighbours, nodesMax)
    }
}

/// The bytes of an imported C array.
func fixed<let count: Int, Tuple>(_ tuple: Tuple) -> FixedBytes<count> {
    assert(MemoryLayout<Tuple>.size == count)
    return unsafe withUnsafeBytes(of: tuple) { bytes in
        unsafe bytes.loadUnaligned(as: FixedBytes<count>.self)
    }
}

/// Writes the bytes of an imported C array.
func store<let count: Int, Tuple>(_ value: FixedBytes<count>, _ tuple: inout Tuple) {
    assert(MemoryLayout<Tuple>.size == count)
    unsafe withUnsafeMutableBytes(of: &tuple) { bytes in
        unsafe bytes.storeBytes(of: value, as: FixedBytes<count>.self)
    }
}

@c @implementation
public func dray_config_init(
    _ config: UnsafeMutablePointer<dray_config>!,
    _ profile: UnsafePointer<CChar>!
) -> dray_status {
    guard let config = unsafe config, let profile = unsafe profile else { return DRAY_ERROR_NULL }
    guard let geometry = unsafe geometry(profile) else { return DRAY_ERROR_RANGE }
    var value = dray_config()
    value.payload_bytes = UInt32(geometry.payloadBytes)
    value.surb_bytes = UInt32(geometry.surbBytes)
    value.ticket_selector = geometry.ticketSelector
    value.refuse_neutral_alpha = geometry.refusesNeutralAlpha ? 1 : 0
    value.reject_answers_per_second = 100
    value.nodes_max = 4_096
    value.channels_max = 1_024
    value.unacked_max = 1 << 16
    value.replay_max = 10_000_000
    value.report_bytes = 1 << 22
    value.ack_ttl_ns = 10_000_000_000
    value.issuer_table_bytes = 1 << 26
    value.neighbour_table_bytes = 1 << 26
    unsafe config.pointee = value
    return DRAY_OK
}

/// Compares at most six characters: a name that does not end is not read further.
private func geometry(_ name: UnsafePointer<CChar>) -> Geometry? {
    if unsafe isName(name, "head") { return .head }
    if unsafe isName(name, "v4") { return .v4 }
    if unsafe isName(name, "mix13") { return .mix13 }
    return nil
}

private func isName(_ name: UnsafePointer<CChar>, _ literal: StaticString) -> Bool {
    for index in 0...literal.utf8CodeUnitCount {
        guard unsafe UInt8(bitPattern: name[index]) == literal.utf8Start[index] else {
            return false
        }
    }
    return true
}

@c @implementation
public func dray_relay_size(_ config: UnsafePointer<dray_config>!) -> Int {
    guard let config = unsafe config, let checked = unsafe CheckedConfig(config.pointee) else {
        return 0
    }
    return ContextMemory.byteCount(checked, ownReplay: unsafe config.pointee.replay_outside == 0)
}

@c @implementation
public func dray_replay_size(_ replay_max: UInt64) -> Int {
    guard 1...(1 << 34) ~= replay_max else { return 0 }
    return ReplaySet.byteCount(capacity: Int(replay_max))
}

@c @implementation
public func dray_packet_size(_ config: UnsafePointer<dray_config>!) -> Int {
    guard let config = unsafe config, let checked = unsafe CheckedConfig(config.pointee) else {
        return 0
    }
    return checked.engine.geometry.packetBytes
}
